"""The pause before a call is repeated: it grows, it is bounded, and it is spread by the chance that is handed in."""

import random
from datetime import UTC, datetime

import httpx
import pytest

from pipelines.errors import RetriableChannelError
from pipelines.http import MAX_BACKOFF_SECONDS, MAX_TRIES, Answer, Session, moment_stated
from tests.plan.world import VirtualClock


class Unpaced:
    """A vendor without limits."""

    async def acquire(self, cost: float) -> None: ...

    def observe(self, answer: Answer) -> None: ...


def judge(answer: Answer) -> None:
    """Every answer says: later."""
    raise RetriableChannelError("busy", status=answer.status)


async def pauses(chance) -> list[float]:
    clock = VirtualClock()
    session = Session(
        system="shop", base_url="http://shop", headers={}, limiter=Unpaced(), judge=judge, clock=clock, chance=chance,
        transport=httpx.MockTransport(lambda request: httpx.Response(503)),
    )
    async with session:
        with pytest.raises(RetriableChannelError):
            await session.get("things")
    return clock.slept


async def test_the_same_seed_waits_the_same_and_another_does_not():
    first, again, other = [await pauses(random.Random(seed).random) for seed in (1, 1, 2)]
    assert first == again != other
    assert len(first) == MAX_TRIES - 1


async def test_pauses_double_and_are_bounded():
    assert await pauses(lambda: 1.0) == [0.5, 1.0, 2.0, 4.0]
    assert await pauses(lambda: 0.0) == [0.0] * (MAX_TRIES - 1)
    assert max(await pauses(lambda: 1.0)) <= MAX_BACKOFF_SECONDS


@pytest.mark.parametrize("stated", [
    ["Tue, 16 Jun 2026 08:00:00 GMT"],
    ["Tue, 16 Jun 2026 08:00:00 GMT", "Tue, 16 Jun 2026 08:00:01 GMT"],
    ["soon", "Tue, 16 Jun 2026 08:00:00 GMT"],
    ["Tue, 16 Jun 2026 08:00:00 -0000"],
])
def test_the_first_date_that_is_one_counts(stated):
    assert moment_stated(httpx.Headers([("date", text) for text in stated])) == datetime(2026, 6, 16, 8, tzinfo=UTC)


def test_what_is_no_date_says_no_time():
    assert moment_stated(httpx.Headers([("date", "soon")])) is None
    assert moment_stated(httpx.Headers()) is None
