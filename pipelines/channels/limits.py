"""Pacing for vendors that allow n calls in a period: the limiter that sessions share.

Belongs here: what several vendors have alike. A vendor with a budget of its own kind (Shopify's cost points)
keeps its limiter in its folder. Time is the handed-in clock's, so that a simulation can own it: libraries'
limiters read the event loop's. A sliding window, not a leaky bucket: a bucket as wide as the vendor's window
lets through twice its size in the first period.
"""

import asyncio
from collections import deque
from datetime import UTC
from email.utils import parsedate_to_datetime

from pipelines.clock import Clock
from pipelines.http import Answer

_THROTTLED = frozenset({429, 503})


def retry_after(answer: Answer, clock: Clock) -> float | None:
    """Seconds the vendor asks to wait (a number or an HTTP date); None where it says nothing readable."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - clock.now()).total_seconds())


class RateLimiter:
    """At most `calls` (by cost) in any `period_seconds`, in order of arrival; closed while Retry-After lasts.

    An answer of 429 or 503 with Retry-After closes the gate for everybody, so that other calls do not run
    into the same wall.
    """

    def __init__(self, calls: float, period_seconds: float, clock: Clock) -> None:
        if calls <= 0 or period_seconds <= 0:
            raise ValueError("a rate is a positive number of calls in a positive period")
        self._calls, self._period, self._clock = calls, period_seconds, clock
        self._spent: deque[tuple[float, float]] = deque()
        self._closed_until = 0.0
        self._queue = asyncio.Lock()

    async def acquire(self, cost: float = 1) -> None:
        """Wait until `cost` fits into the window; a cost over the whole window waits for an empty one."""
        cost = min(cost, self._calls)
        async with self._queue:
            while (wait := self._wait(cost)) > 0:
                await self._clock.sleep(wait)
            self._spent.append((self._clock.monotonic(), cost))

    def observe(self, answer: Answer) -> None:
        """Close the gate for as long as the vendor asks."""
        if answer.status in _THROTTLED and (seconds := retry_after(answer, self._clock)) is not None:
            self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _wait(self, cost: float) -> float:
        now = self._clock.monotonic()
        if now < self._closed_until:
            return self._closed_until - now
        while self._spent and self._spent[0][0] + self._period <= now:
            self._spent.popleft()
        if not self._spent or sum(spent for _, spent in self._spent) + cost <= self._calls:
            return 0.0
        return self._spent[0][0] + self._period - now
