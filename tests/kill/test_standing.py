"""R5: a run that stood still past its lease makes no call when it is woken, and ends saying who took its place."""

import shutil

import pytest

from cli.night import HELD
from tests.kill import judge
from tests.kill.child import INTENDED, NOTED, At
from tests.kill.shop import Running, Shop

pytestmark = [pytest.mark.process, pytest.mark.night]

LEASE_SECONDS = 3.0
"""Longer than any step here stays without a heartbeat in its push."""
WHERE = [At("push", INTENDED, 4), *(pytest.param(at, marks=pytest.mark.kill) for at in (
    At("suppress", INTENDED, 2), At("push", NOTED, 5), At("push", INTENDED, 9), At("extract", "after"),
))]


def stopped(shop: Shop, at: At) -> Running:
    """A run that stands still there, until its lease has run out."""
    run = shop.begin(stops=at, lease_seconds=LEASE_SECONDS)
    assert run.stands(), f"it did not come by {at}: {run.said}"
    assert run.lived(LEASE_SECONDS + 1)
    return run


def woken(shop: Shop, run: Running) -> tuple[int, int]:
    """Wake it and wait for its end; its exit code, and how many calls it made."""
    before = shop.calls()
    run.wake()
    return run.ended(), shop.calls() - before


@pytest.mark.parametrize("at", WHERE, ids=str)
def test_a_run_that_was_taken_over_makes_no_call(shop: Shop, at: At) -> None:
    since = judge.last_line(shop)
    run = stopped(shop, at)
    first, twin = shop.home, shop.twin()
    lease = first / "warehouse" / "lease.json"
    shop.home_name = twin.name
    other = shop.begin(lease=lease, lease_seconds=LEASE_SECONDS)
    assert other.ended() == 0, other.said
    assert woken(shop, run) == (HELD, 0)
    assert "the writing lease was taken over" in run.said and other.order.name in run.said
    shutil.copy(lease, twin / "warehouse")
    violations = judge.settled(shop, since)
    assert not violations, judge.told(violations, shop)


@pytest.mark.kill
def test_while_it_holds_the_files_another_leaves_and_says_who_holds_them(shop: Shop) -> None:
    since = judge.last_line(shop)
    run = stopped(shop, At("push", INTENDED, 4))
    other = shop.begin(lease_seconds=LEASE_SECONDS)
    assert other.ended() == HELD
    assert f"(PID {run.process.pid})" in other.said and "duckdb is held by" in other.said
    assert woken(shop, run) == (HELD, 0), "its lease was taken meanwhile"
    violations = judge.finished(shop, since)
    assert not violations, judge.told(violations, shop)


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.kill)])
def test_of_many_at_once_one_writes_and_the_others_say_who(shop: Shop, count: int) -> None:
    since = judge.last_line(shop)
    runs = [shop.begin() for _ in range(count)]
    codes = [run.ended() for run in runs]
    assert sorted(codes) == [0] + [HELD] * (count - 1), [run.said for run in runs]
    (winner,) = [run for run, code in zip(runs, codes, strict=True) if code == 0]
    for run in runs:
        if run is not winner:
            (sentence,) = run.said.splitlines()
            assert f"another run is writing: {winner.order.name} (process {winner.process.pid} on " in sentence
            assert not any(name == "before" for _, _, name in run.places), "it began no step"
    assert any(effect["origin"] == "api" for effect in shop.effects(since))
    violations = judge.settled(shop, since)
    assert not violations, judge.told(violations, shop)
