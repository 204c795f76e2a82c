"""Pacing by cost points: a client's copy of the vendor's leaky bucket, corrected by every answer.

The vendor takes a query's requested cost, gives back what it did not use, and says after each answer what is left.
Answers overtake each other, so what is in flight counts as spent and a late answer may raise the level only so far:
no THROTTLED is drawn in steady state, and no point is left unused while queries wait.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass

import msgspec

from pipelines.clock import Clock
from pipelines.http import Answer

POINTS = 100.0
"""Points a second of the smallest plan; a wrong guess is corrected by the first answer."""
_RESERVE = 0.1
"""Share of the bucket by which answers that overtook each other may be out."""
_LOST_SECONDS = 300.0


class ThrottleStatus(msgspec.Struct, rename="camel"):
    """The vendor's bucket."""

    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(msgspec.Struct, rename="camel"):
    """What one query cost."""

    requested_query_cost: float
    throttle_status: ThrottleStatus
    actual_query_cost: float | None = None


class _Extensions(msgspec.Struct):
    cost: Cost | None = None


class _Body(msgspec.Struct):
    extensions: _Extensions | None = None


_DECODER = msgspec.json.Decoder(_Body)


def cost_of(answer: Answer) -> Cost | None:
    """The cost that an answer declares, if it does."""
    try:
        extensions = _DECODER.decode(answer.body).extensions
    except msgspec.DecodeError:
        return None
    return extensions.cost if extensions else None


@dataclass(slots=True, eq=False)
class _Query:
    points: float
    at: float


_MINE: ContextVar[_Query | None] = ContextVar("shopify_query", default=None)
"""The query that this task has under way: `observe` is not told which one an answer belongs to."""


class Unlimited:
    """For bulk files, which cost no points."""

    async def acquire(self, cost: float) -> None:
        """Go."""

    def observe(self, answer: Answer) -> None:
        """Nothing to learn."""


class CostLimiter:
    """Waits, in order of arrival, until the bucket holds a query's points."""

    def __init__(self, points_per_second: float, clock: Clock) -> None:
        if points_per_second <= 0:
            raise ValueError("points_per_second must be positive")
        self._clock, self._rate = clock, points_per_second
        self._capacity = self._level = points_per_second
        self._at = clock.monotonic()
        self._pending: set[_Query] = set()
        self._queue = asyncio.Lock()

    async def acquire(self, cost: float) -> None:
        """Wait for `cost` points and take them."""
        earlier = _MINE.get()
        if earlier is not None:  # this task sends again: the answer to its last query is lost
            self._pending.discard(earlier)
        async with self._queue:
            points = min(cost, self._capacity)
            while (missing := points - self._refilled()) > 0:
                await self._clock.sleep(missing / self._rate)
            self._level -= points
            mine = _Query(points, self._at)
            self._pending.add(mine)
        _MINE.set(mine)

    def observe(self, answer: Answer) -> None:
        """Settle a query by what the answer says it cost and what is left."""
        mine = _MINE.get()
        self._refilled()
        if mine is not None:
            self._pending.discard(mine)
        cost = cost_of(answer)
        if cost is None:
            return
        status, spent = cost.throttle_status, cost.actual_query_cost or 0.0
        if mine is not None:
            self._level += mine.points - spent
        self._rate, self._capacity = status.restore_rate, status.maximum_available
        self._pending = {query for query in self._pending if self._at - query.at < _LOST_SECONDS}
        most = status.currently_available - sum(query.points for query in self._pending)
        reserve = _RESERVE * self._capacity if self._pending else 0.0
        self._level = max(most - reserve, min(most, self._level))

    def _refilled(self) -> float:
        now = self._clock.monotonic()
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        return self._level
