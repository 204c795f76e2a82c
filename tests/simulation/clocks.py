"""The clocks of a simulated estate: the world's store, a run's, and the machine's, by which its lease is told."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.store import Store, parse_stamp, stamp
from sandbox.world.settings import EPOCH
from tests.simulation.loop import Time
from tests.simulation.network import Wire


class VirtualStore(Store):
    """A world whose time is the simulation's."""

    def __init__(self, path: Path, *, epoch: datetime | None = None) -> None:
        self.time = Time(EPOCH)
        super().__init__(path, epoch=epoch)
        self._db.execute("PRAGMA journal_mode=MEMORY")
        self.time = Time(parse_stamp(self.fact("now") or stamp(EPOCH)))

    def now(self) -> datetime:
        return self.time.now()

    def set_now(self, moment: datetime) -> None:
        self.set_fact("now", stamp(moment))
        self.time.set(moment)


class VirtualClock:
    """The clock of one run: the world's, off by `skew`; whoever is dead hears nothing of it."""

    def __init__(self, time: Time, wire: Wire, skew: timedelta) -> None:
        self._time, self._wire, self._skew = time, wire, skew

    def now(self) -> datetime:
        self._wire.moment()
        return self._time.now() + self._skew

    def monotonic(self) -> float:
        return self._time.seconds()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._wire.moment()


class LeaseClock:
    """The machine's time, which nobody skews."""

    def __init__(self, time: Time) -> None:
        self._time = time

    def now(self) -> datetime:
        return self._time.now()

    def monotonic(self) -> float:
        return self._time.seconds()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
