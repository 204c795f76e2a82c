"""The virtual loop: time jumps to the next timer, order is by time and asking, nothing runs beside."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from tests.simulation.loop import Stuck, Time, VirtualLoop

START = datetime(2026, 6, 15, tzinfo=UTC)


def run(work, time=None):
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(time or Time(START))) as runner:
        return runner.run(work)


def test_sleepers_wake_in_the_order_of_their_time_and_of_their_asking():
    woken = []

    async def sleeper(name, seconds):
        await asyncio.sleep(seconds)
        woken.append(name)

    async def all_of_them():
        await asyncio.gather(*(sleeper(*one) for one in (("c", 3600), ("a", 1), ("b", 1), ("d", 3600.5))))

    time = Time(START)
    run(all_of_them(), time)
    assert woken == ["a", "b", "c", "d"]
    assert (time.now() - START).total_seconds() == 3600.5


def test_what_would_go_to_a_thread_runs_at_once_in_this_one():
    async def asked():
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(threading.get_ident), await loop.run_in_executor(None, threading.get_ident)

    assert set(run(asked())) == {threading.get_ident()}
    assert threading.active_count() == 1 or "load" not in {thread.name for thread in threading.enumerate()}


def test_an_error_of_what_would_run_in_a_thread_arrives():
    def fails():
        raise KeyError("x")

    async def asked():
        await asyncio.to_thread(fails)

    with pytest.raises(KeyError):
        run(asked())


def test_whoever_waits_for_ever_is_told():
    async def waits():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run(waits())


def test_time_never_goes_back():
    time = Time(START)
    time.forward(-5)
    time.jump(START.replace(year=2025))
    assert time.now() == START
