"""The shared pace: at most n in any period of the clock that was handed in, and quiet while the vendor asks for it."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.http import Answer
from tests.law import law


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 6, 14, 20, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def throttled(**headers: str) -> Answer:
    return Answer(429, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


async def passing(limiter: RateLimiter, clock: Clock, costs: Iterable[float]) -> list[float]:
    times = []
    for cost in costs:
        await limiter.acquire(cost)
        times.append(clock.seconds)
    return times


async def test_a_full_window_waits_for_its_oldest_call():
    clock = Clock()
    assert await passing(RateLimiter(3, 10, clock), clock, [1] * 7) == [0, 0, 0, 10, 10, 10, 20]


@law(100)
@given(
    calls=st.integers(1, 20), period=st.integers(1, 30),
    costs=st.lists(st.integers(1, 5), min_size=1, max_size=60),
    idle=st.lists(st.integers(0, 9), min_size=60, max_size=60),
)
def test_no_window_ever_holds_more_than_it_may(calls, period, costs, idle):
    clock = Clock()
    limiter = RateLimiter(calls, period, clock)
    spent: list[tuple[float, float]] = []

    async def run() -> None:
        for cost, pause in zip(costs, idle, strict=False):
            clock.seconds += pause
            await limiter.acquire(cost)
            spent.append((clock.seconds, min(cost, calls)))

    asyncio.run(run())
    for start, _ in spent:
        assert sum(cost for at, cost in spent if start <= at < start + period) <= calls


async def test_calls_pass_in_the_order_in_which_they_came():
    clock = Clock()
    limiter, order = RateLimiter(1, 5, clock), list[int]()

    async def call(number: int) -> None:
        await limiter.acquire(1)
        order.append(number)

    await asyncio.gather(*(call(number) for number in range(6)))
    assert order == list(range(6)) and clock.seconds == 25


async def test_retry_after_closes_the_gate_for_everybody():
    clock = Clock()
    limiter = RateLimiter(100, 1, clock)
    limiter.observe(throttled(retry_after="4"))
    limiter.observe(throttled(retry_after="2"))
    limiter.observe(Answer(200, {"retry-after": "60"}, b""))
    limiter.observe(throttled())
    assert await passing(limiter, clock, [1]) == [4]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("Sun, 14 Jun 2026 20:00:07 GMT", 7.0), ("soon", None), ("", None)],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text, seconds):
    assert retry_after(throttled(retry_after=text), Clock()) == seconds


@pytest.mark.parametrize(("calls", "period"), [(0, 1), (1, 0), (-1, 1)])
def test_a_rate_is_positive(calls, period):
    with pytest.raises(ValueError, match="positive"):
        RateLimiter(calls, period, Clock())
