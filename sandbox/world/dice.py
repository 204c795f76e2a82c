"""Chance that is the same on every machine: PCG64's raw words and integer arithmetic, one stream per topic.

numpy promises its bit generators' streams but not its distributions, nor equal last bits of exp or log between
builds; so nothing here draws through a Generator or calls a transcendental function.
"""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_HALF = np.uint64(32)


class Dice:
    """A stream of chance named by a seed and a path of topics."""

    def __init__(self, seed: int, *topics: str | int) -> None:
        words = [seed, *(t if isinstance(t, int) else crc32(t.encode()) for t in topics)]
        self._bits = np.random.PCG64(np.random.SeedSequence(words))

    def raw(self, count: int) -> NDArray[np.uint64]:
        """`count` words of 64 random bits."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def below(self, bound: int, count: int) -> Ints:
        """Integers in [0, bound); bound below 2**31."""
        return (((self.raw(count) >> _HALF) * np.uint64(bound)) >> _HALF).astype(np.int64)

    def between(self, low: int, high: int, count: int) -> Ints:
        """Integers in [low, high]."""
        return low + self.below(high - low + 1, count)

    def chance(self, share: float, count: int) -> Bools:
        """True with probability `share`."""
        return self.below(1_000_000, count) < round(share * 1_000_000)

    def weighted(self, weights: Sequence[int], count: int) -> Ints:
        """Indexes drawn with integer weights."""
        edges = np.cumsum(np.asarray(weights, dtype=np.int64))
        return np.searchsorted(edges, self.below(int(edges[-1]), count), side="right").astype(np.int64)

    def order(self, count: int) -> Ints:
        """A permutation of range(count)."""
        return np.argsort(self.raw(count), kind="stable").astype(np.int64)

    def sample(self, candidates: Ints, count: int) -> Ints:
        """At most `count` of the candidates, each once, in random order."""
        return candidates[self.order(len(candidates))[:count]]

    def one(self, bound: int) -> int:
        """One integer in [0, bound)."""
        return int(self.below(bound, 1)[0])
