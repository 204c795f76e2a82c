"""What the world remembers from night to night: the values on which the systems last agreed, and what moved since.

`settle` looks at the store after a night: where a system holds what it ought to hold, that is what was agreed. So
drift that a pipeline failed to push stays expected, whatever it claims. Kept in `truth/memory.npz` and
`truth/memory.jsonl`, which the pipeline never reads.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sandbox.world.dice import Bools, Ints
from sandbox.world.items import VENDOR_LISTS
from sandbox.world.state import NONE

AUTHORITY = {"eur": "square", "chf": "square", "jpy": "shopify"}
"""Whose price is the truth, by our price list."""
TARGETS = tuple(key for key in VENDOR_LISTS if key[0] != AUTHORITY[key[1]])
"""(system, list) of every price that is corrected."""
FIELDS = ("first_name", "last_name", "phone", "street", "city", "postcode")
Fields = tuple[str | None, ...]
"""One value per FIELDS; None is a blank."""


@dataclass(slots=True)
class Memory:
    """Agreed values; NONE (or no entry) where nothing was ever agreed."""

    price: dict[tuple[str, str], Ints]
    seen: dict[tuple[str, str], Ints]
    """The authority's price when the target last agreed with it."""
    compare_at: Ints
    has_compare_at: Bools
    on_hand: Ints
    """What Square's level must be if its own movements since the base account for everything."""
    available: Ints
    """The same for what Shopify sells."""
    unseen: Ints
    """Units that left by the webshop and that Square has not been told of."""
    committed: Ints
    """Units of open web orders."""
    told: Ints
    """Square's level when the last truth was written."""
    customers: dict[tuple[str, str], dict[str, str | None]] = field(default_factory=dict)
    """By (system, key): agreed value per field."""

    @classmethod
    def empty(cls, variants: int, rows: int) -> "Memory":
        """Before the first night: nothing was ever agreed."""
        def none(count: int) -> Ints:
            return np.full(count, NONE, dtype=np.int64)

        return cls(
            price={key: none(variants) for key in TARGETS}, seen={key: none(variants) for key in TARGETS},
            compare_at=none(variants), has_compare_at=np.zeros(variants, dtype=np.bool_), on_hand=none(rows),
            available=none(rows), unseen=np.zeros(rows, dtype=np.int64), committed=np.zeros(rows, dtype=np.int64),
            told=none(rows),
        )

    def save(self, folder: Path) -> None:
        """Write both files under `<folder>/truth`."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        for kind, values in (("price", self.price), ("seen", self.seen)):
            arrays |= {f"{kind}-{system}-{name}": array for (system, name), array in values.items()}
        with (folder / "truth" / "memory.npz").open("wb") as file:
            np.savez(file, **arrays)
        with (folder / "truth" / "memory.jsonl").open("w", encoding="utf-8") as lines:
            for (system, key), agreed in self.customers.items():
                lines.write(json.dumps([system, key, agreed], ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Memory":
        """The inverse of `save`."""
        with np.load(folder / "truth" / "memory.npz") as arrays:
            held = {name: arrays[name] for name in arrays.files}
        prices: dict[str, dict[tuple[str, str], Ints]] = {
            kind: {key: held[f"{kind}-{key[0]}-{key[1]}"] for key in TARGETS} for kind in ("price", "seen")
        }
        with (folder / "truth" / "memory.jsonl").open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        return cls(**prices, **{name: held[name] for name in _ARRAYS}, customers={(r[0], r[1]): r[2] for r in rows})


_ARRAYS = ("compare_at", "has_compare_at", "on_hand", "available", "unseen", "committed", "told")
