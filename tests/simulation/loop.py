"""An event loop without a world: its time is virtual, waiting costs nothing, and there is one thread.

What sleeps is woken in the order of its time, and of its asking where times are equal; so the same work makes the same
steps, whatever the machine does. What would go to a thread runs at once.
"""

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from pipelines.errors import SyncError

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


class Stuck(SyncError):
    """Everything waits for something that nobody will ever do."""


class Time:
    """The one time of a simulation, in microseconds; it moves forward alone, when somebody waits."""

    def __init__(self, start: datetime) -> None:
        self._us = int(start.timestamp() * 1_000_000)

    def now(self) -> datetime:
        """As a moment of the world."""
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self._us)

    def seconds(self) -> float:
        """As a loop counts it."""
        return self._us / 1_000_000

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._us += max(0, round(seconds * 1_000_000))

    def set(self, moment: datetime) -> None:
        """Go to a moment, back too: for whoever makes the world."""
        self._us = int(moment.timestamp() * 1_000_000)

    def jump(self, moment: datetime) -> None:
        """Go to a moment, never back."""
        self._us = max(self._us, int(moment.timestamp() * 1_000_000))


class _Selector(selectors.BaseSelector):
    """Watches nothing; to wait is to let the time pass."""

    def __init__(self, time: Time) -> None:
        self._time = time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("no task can go on and no timer is set")
        self._time.forward(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        raise AssertionError("a simulation has no sockets")

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        raise AssertionError("a simulation has no sockets")

    def get_map(self) -> dict[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.BaseEventLoop):
    """One thread, no sockets, and a time that jumps to the next timer."""

    _selector: _Selector

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._virtual = time
        self._selector = _Selector(time)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._virtual.seconds()

    def run_in_executor(self, executor: object, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """At once, in this thread: what threads would decide by their speed is decided by order."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _write_to_self(self) -> None:
        """Nobody else could wake it."""
