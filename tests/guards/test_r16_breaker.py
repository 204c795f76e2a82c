"""R16: a system that fails call after call is left alone; and nobody calls more, or faster, than a vendor allows.

Time is virtual: a `VirtualLoop`, on which twenty minutes of eight busy workers take a second or two.
"""

import asyncio
import copy
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.breaker import FAILURES, LASTED_SECONDS, REST_SECONDS, Breaker, is_outage
from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.errors import (
    AmbiguousWrite,
    BreakerOpen,
    ChannelError,
    CredentialError,
    FatalChannelError,
    RetriableChannelError,
)
from pipelines.http import MAX_TRIES, Answer, Session
from pipelines.push import push_plan
from tests.arming import ARMED
from tests.law import law
from tests.plan.world import VirtualClock, fresh, policy
from tests.simulation.clocks import LeaseClock
from tests.simulation.loop import Time, VirtualLoop
from tests.test_extract import Estate, NoLimit, ids, pages
from tests.test_http import Unpaced
from tests.test_push import plan, prices, vendor_for

START = datetime(2026, 6, 15, 2, tzinfo=UTC)
DOWN = RetriableChannelError("503", status=503)


def judge(answer: Answer) -> None:
    """As the vendors' judges do: later for 429 and 5xx, never for other errors."""
    if answer.status == 429 or answer.status >= 500:
        wait = retry_after(answer, VirtualClock(START))
        raise RetriableChannelError("later", status=answer.status, retry_after=wait)
    if answer.status >= 400:
        raise FatalChannelError("no", status=answer.status)


def session_over(handler: Callable[[httpx.Request], Any], clock: Any, *, limiter: Any = None, **rest: Any) -> Session:
    return Session(
        system="shop", base_url="http://shop", headers={}, limiter=limiter or Unpaced(), judge=judge, clock=clock,
        transport=httpx.MockTransport(handler), **rest,
    )


@dataclass
class Played:
    """What a vendor saw, in seconds from the beginning, and how often the workers were told what."""

    sent: list[tuple[float, int]] = field(default_factory=list)
    done: int = 0
    refused: int = 0
    failed: int = 0


def play(
    answer: Callable[[float], httpx.Response], *, seconds: float, workers: int = 8, rate: float | None = None,
    pause: float = 0.0,
) -> Played:
    """Workers that call one after the other all the time; `answer` is the vendor's, by the second."""
    time, played = Time(START), Played()
    begun, clock = time.seconds(), LeaseClock(time)

    async def vendor(request: httpx.Request) -> httpx.Response:
        at = time.seconds() - begun
        given = answer(at)
        played.sent.append((at, given.status_code))
        await asyncio.sleep(0.2)
        return given

    async def work(session: Session) -> None:
        while time.seconds() - begun < seconds:
            try:
                await session.get("things")
                played.done += 1
            except BreakerOpen:
                played.refused += 1
                await asyncio.sleep(1)
            except ChannelError:
                played.failed += 1
            await asyncio.sleep(pause)

    async def all_of_them() -> None:
        limiter = None if rate is None else RateLimiter(rate, 1.0, clock)
        async with session_over(vendor, clock, limiter=limiter, chance=random.Random(7).random) as session:
            await asyncio.gather(*(work(session) for _ in range(workers)))

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(time)) as runner:
        runner.run(all_of_them())
    return played


@pytest.fixture(scope="module")
def storm() -> Played:
    """503 for ten minutes, from the first minute on."""
    return play(lambda at: httpx.Response(503 if 60 <= at < 660 else 200), seconds=900, pause=1.0)


def test_ten_minutes_of_503_get_one_call_in_half_a_minute(storm: Played) -> None:
    in_storm = [at for at, status in storm.sent if status == 503]
    gaps = zip(in_storm, in_storm[1:], strict=False)
    opened = next((at for at, later in gaps if later - at > REST_SECONDS - 1), 660.0)
    assert opened < 60 + LASTED_SECONDS + 2, "within seconds nothing is sent any more"
    tries = [at for at in in_storm if at > opened]
    assert all(later - at >= REST_SECONDS for at, later in zip([opened, *tries], tries, strict=False))
    assert len(tries) <= 600 / REST_SECONDS and storm.refused > 1000, "everybody else is told, and sends nothing"


def test_when_the_storm_is_over_one_call_finds_out_and_all_go_on(storm: Played) -> None:
    after = [at for at, status in storm.sent if at >= 660]
    assert after[0] < 660 + REST_SECONDS + 1
    assert storm.done > 8 * 200 * 0.9 and len(after) > 8 * 150


def test_a_blink_is_outlived_by_the_repeats() -> None:
    """Eight calls fail in the same second, and their repeats: that is no outage, and no read is lost by it."""
    played = play(lambda at: httpx.Response(503 if 60 <= at < 60.5 else 200), seconds=120, pause=0.1)
    assert sum(status == 503 for _, status in played.sent) >= FAILURES
    assert (played.refused, played.failed) == (0, 0)


@dataclass
class Bucket:
    """A vendor that lets `size` calls through and leaks as many a second; somebody else drinks from it, too."""

    size: float
    others: Callable[[float], bool] = lambda at: False
    level: float = 0.0
    at: float = 0.0

    def __call__(self, at: float) -> httpx.Response:
        self.level, self.at = max(0.0, self.level - self.size * (at - self.at)), at
        if self.level + 1 > self.size + 1e-6 or self.others(at):
            return httpx.Response(429, headers={"retry-after": "2"})
        self.level += 1
        return httpx.Response(200)


def test_with_no_faults_every_call_is_one_try_and_none_is_too_fast() -> None:
    played = play(Bucket(10), seconds=300, workers=16, rate=10)
    assert played.done == len(played.sent) > 2900 and played.failed == played.refused == 0


def test_bursts_of_429_are_met_once_and_waited_out() -> None:
    """Every two minutes somebody else empties the vendor's bucket for two seconds: under 1 % of calls run into that."""
    played = play(Bucket(10, others=lambda at: at % 120 >= 118), seconds=600, rate=10)
    throttled = sum(status == 429 for _, status in played.sent)
    assert 0 < throttled <= 0.01 * len(played.sent)
    assert len(played.sent) <= 1.1 * played.done and played.failed == played.refused == 0


@law(200)
@given(st.lists(st.tuples(st.floats(0, 40), st.sampled_from(["ok", "no", "down", "lost", "fast", "bug"])), max_size=80))
def test_what_passes_is_what_a_reckoning_by_hand_lets_pass(steps: list[tuple[float, str]]) -> None:
    clock, now = VirtualClock(START), 0.0
    breaker = Breaker("shop", clock)
    failures, first, open_until = 0, 0.0, None
    errors = {
        "no": FatalChannelError("no", status=404), "down": DOWN, "lost": AmbiguousWrite("lost"), "bug": KeyError("x"),
        "fast": RetriableChannelError("fast", status=429),
    }
    for wait, what in steps:
        clock.at = clock.at.fromtimestamp(clock.at.timestamp() + wait, UTC)
        now = clock.monotonic()
        passed = False
        try:
            with breaker.call():
                passed = True
                if what != "ok":
                    raise errors[what]
        except BreakerOpen:
            pass
        except Exception as error:
            assert error is errors[what]
        assert passed == (open_until is None or now >= open_until)
        if not passed:
            continue
        if what in ("down", "lost"):
            first = first if failures else now
            failures += 1
            if open_until is not None or (failures >= FAILURES and now - first >= LASTED_SECONDS):
                open_until = now + REST_SECONDS
        elif what != "bug":
            failures, open_until = 0, None


def broken(clock: VirtualClock) -> Breaker:
    """One that has just opened."""
    breaker = Breaker("shop", clock)
    for _ in range(FAILURES):
        with pytest.raises(RetriableChannelError), breaker.call():
            raise DOWN
        clock.at = clock.at.fromtimestamp(clock.at.timestamp() + LASTED_SECONDS / (FAILURES - 1), UTC)
    return breaker


async def test_open_says_how_long_why_and_of_whom() -> None:
    clock = VirtualClock(START)
    breaker = broken(clock)
    words = r"another 2\d s \(R16\): 5 calls in a row failed, .*503 \[system shop\]"
    with pytest.raises(BreakerOpen, match=words), breaker.call():
        raise AssertionError("nothing is sent")


async def test_after_its_rest_one_call_tries_and_one_that_was_broken_off_decides_nothing() -> None:
    clock = VirtualClock(START)
    breaker = broken(clock)
    await clock.sleep(REST_SECONDS)
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError), breaker.call():
            with pytest.raises(BreakerOpen, match="until one call has shown"), breaker.call():
                raise AssertionError("the second is not sent")
            raise asyncio.CancelledError
    with breaker.call():
        pass
    with breaker.call(), breaker.call():
        pass


@pytest.mark.parametrize(("error", "counts"), [
    (RetriableChannelError("no connection"), True), (RetriableChannelError("busy", status=503), True),
    (AmbiguousWrite("answer lost"), True), (AmbiguousWrite("busy", status=500), True),
    (RetriableChannelError("too fast", status=429), False), (RetriableChannelError("slow", code="THROTTLED"), False),
    (RetriableChannelError("locked", status=423), False), (FatalChannelError("broken", status=500), False),
    (CredentialError("no", status=401), False),
])
def test_only_who_is_not_there_counts(error: ChannelError, counts: bool) -> None:
    assert is_outage(error) is counts


async def test_a_repeat_is_a_call_like_any_other_and_a_trial_is_not_repeated() -> None:
    clock, sent = VirtualClock(START), deque[float]()

    def down(request: httpx.Request) -> httpx.Response:
        sent.append(clock.monotonic())
        raise httpx.ConnectError("refused", request=request)

    async with session_over(down, clock, chance=lambda: 1.0) as session:
        with pytest.raises(RetriableChannelError, match="no connection"):
            await session.get("things")
        assert len(sent) == MAX_TRIES
        await clock.sleep(REST_SECONDS)
        with pytest.raises(BreakerOpen):
            await session.get("things")
        assert len(sent) == session.counters.calls == MAX_TRIES + 1
        with pytest.raises(BreakerOpen):
            await copy.copy(session).get("things")
        assert len(sent) == MAX_TRIES + 1, "shared by the copies of a session that the reads work with"


def test_reads_that_meet_it_fail_with_the_reason_and_other_systems_are_read(tmp_path) -> None:
    class Storm(Estate):
        sent = 0

        def session(self, name: str) -> Session:
            def answer(request: httpx.Request) -> httpx.Response:
                self.sent += name == "till"
                return httpx.Response(503 if name == "till" else 200, json={})

            return Session(
                system=name, base_url=f"http://{name}.test", headers={}, limiter=NoLimit(), judge=judge,
                clock=self.clock, transport=httpx.MockTransport(answer),
            )

    estate = Storm(tmp_path)
    estate.clock = VirtualClock(START)
    till = {f"things_{n}": pages(ids(3)) for n in range(8)}
    verdicts = estate.extract({"till": till, "shop": {"things": pages(ids(3))}})
    estate.con.close()
    assert verdicts["shop.things"].is_complete
    read = [verdict for name, verdict in verdicts.items() if name.startswith("till.")]
    assert not any(verdict.is_complete for verdict in read) and len(read) == 8
    assert any("BreakerOpen: nothing is sent for another" in verdict.reason for verdict in read)
    assert estate.sent < 8 * MAX_TRIES


async def test_a_push_that_meets_it_skips_its_rows_and_sends_nothing() -> None:
    world, clock = fresh(), VirtualClock()
    policy(world)
    plan_id = plan(world, clock, *prices(3), *prices(2, "hubspot"))
    vendor, hubspot = vendor_for(world, plan_id, clock), vendor_for(world, plan_id, clock, "hubspot")

    async def identify(session: Session) -> Any:
        await session.get("who")

    sent: list[str] = []

    def down(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(503)

    async with session_over(down, clock, chance=lambda: 1.0) as session:
        for _ in range(2):
            with pytest.raises(ChannelError):
                await session.get("things")
        before = len(sent)
        pairs = {"shopify": (replace(vendor.channel(), identify=identify), session), "hubspot": hubspot.session()}
        report = await push_plan(world, plan_id, pairs, armed=ARMED, clock=clock)
    assert len(sent) == before and vendor.calls == []
    assert "BreakerOpen: nothing is sent" in report.systems["shopify"].stopped
    assert report.systems["shopify"].counts == {"skipped": 3} and report.systems["hubspot"].counts == {"applied": 2}
    told = "SELECT DISTINCT o.status, o.code FROM ledger.sync.outcomes AS o JOIN ledger.sync.corrections AS c "
    told += "USING (plan_id, correction_key) WHERE c.system = 'shopify'"
    assert world.execute(told).fetchall() == [("skipped", "stopped")]
