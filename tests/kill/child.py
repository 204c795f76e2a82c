"""One run of trueup in a process of its own, which dies or stands still where its order says so.

A whole night by the steps that Dagster runs, over real HTTP. What is left out takes seconds and decides nothing here:
Great Expectations, the report's charts, and, unless `is_whole`, dlt and Splink. Nothing of this is a switch of the
product: the process puts its marks around the product's functions itself, before it begins.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, wraps
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb

import resources.steps as steps
import resources.workplace as workplace
from cli.leaving import leave
from pipelines.channels import CHANNELS
from pipelines.http import Session
from pipelines.ledger.lease import LENGTH, acquire
from pipelines.push.journal import Journal
from pipelines.push.send import SystemPush
from resources.means import Means
from resources.settings import PRIVATE_MASK, Settings
from resources.tonight import Tonight
from resources.warehouse import open_warehouse
from resources.workplace import open_workplace
from tests.simulation.keys import score_by_keys
from tests.simulation.loading import load_by_arrow

STEPS = tuple(step.__name__ for step in steps.STEPS)
INTENDS, INTENDED, SENDS, SENT, NOTED, VERIFIED = (
    "intent not yet durable", "intent durable", "call goes out", "batch sent", "outcome noted", "verified"
)
"""What a pusher comes by, in this order, batch after batch."""
REFUSED = 77
_NEW_MOUNTS, _READ_ONLY, _REMOUNT, _BIND, _ALL, _PRIVATE = 0x20000, 0x1, 0x20, 0x1000, 0x4000, 0x40000
"""Of unshare(2) and mount(2)."""


@dataclass(frozen=True, slots=True)
class At:
    """One place in a run: `name` is "before", "after" or one of the pusher's, for the nth time in its step."""

    step: str
    name: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.name} {self.step}" + (f" ({self.nth})" if self.nth > 1 else "")


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do."""

    environment: Mapping[str, str]
    folder: Path
    """Where it leaves its marks and its words."""
    name: str
    dies: At | None = None
    stops: At | None = None
    full: tuple[At, str, int] | None = None
    """From this place on no file grows beyond the size of that one of the home and so many bytes: a full disk."""
    is_read_only: bool = False
    """The home is, from the beginning; exit code REFUSED where this machine does not let us make it so."""
    lease_seconds: float = LENGTH.total_seconds()
    lease: Path | None = None
    """The lease's file, where it is another home's."""
    is_whole: bool = False
    is_stored: bool = False
    """Only the steps that `trueup push` runs, on the newest plan."""

    @property
    def home(self) -> Path:
        """Trueup's folder."""
        return Path(self.environment["TRUEUP_HOME"])

    @property
    def marks(self) -> Path:
        """One line for every place that it came by."""
        return self.folder / f"{self.name}.marks"

    @property
    def words(self) -> Path:
        """What it said."""
        return self.folder / f"{self.name}.words"


class Marks:
    """Notes each place that the run comes by, and obeys the order there."""

    def __init__(self, order: Order) -> None:
        self._order, self._step, self._seen = order, "", Counter[tuple[str, str]]()
        self._file = os.open(order.marks, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def pass_by(self, name: str, step: str = "") -> None:
        """Come by a place."""
        self._step = step or self._step
        self._seen[self._step, name] += 1
        here = At(self._step, name, self._seen[self._step, name])
        os.write(self._file, f"{time.monotonic():.4f}\t{here.step}\t{here.name}\n".encode())
        if self._order.full is not None and self._order.full[0] == here:
            _, name, more = self._order.full
            path = self._order.home / name
            size = (path.stat().st_size if path.exists() else 0) + more
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        if here == self._order.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if here == self._order.stops:
            os.kill(os.getpid(), signal.SIGSTOP)


def obey(order: Order) -> None:
    """Do the night, and end as `trueup` does: one sentence and an exit code."""
    end_with_parent()
    words = os.open(order.words, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(words, 1)
    os.dup2(words, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sys.dont_write_bytecode = True  # on a full disk it would be cut off, for every later process
    os.umask(PRIVATE_MASK)
    if order.is_read_only and not _made_read_only(order.home):
        sys.exit(REFUSED)
    marks = Marks(order)
    if order.is_stored:
        steps.STEPS = (steps.approve, steps.push, steps.verify)
    _put_marks(marks)
    _settle_lease(order)
    marks.pass_by("begins", "opening")
    leave(lambda: _night(order))


def _night(order: Order) -> int:
    settings = Settings.read(order.environment)
    quick: dict[str, Any] = {"load": load_by_arrow, "score": score_by_keys, "warehouse": _unplanned}
    means = Means(
        suites=lambda con, checks: [], report=lambda con, night_id, folder: folder / night_id,
        **{} if order.is_whole else quick,
    )
    with open_workplace(settings, CHANNELS, holder=order.name, means=means) as place:
        steps.run_night(Tonight(place, "sync_now" if order.is_stored else "nightly"))
    return 0


def end_with_parent() -> None:
    """Nothing is left at work when the tests were broken off."""
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGKILL)

    Thread(target=follow, daemon=True).start()


@contextmanager
def _unplanned(folder: Path, **how: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(folder, **how) as con:
        con.execute("PRAGMA disable_optimizer")  # a plan costs more than the few rows that it would spare
        yield con


def _put_marks(marks: Marks) -> None:
    steps.STEPS = tuple(_marked(step, marks) for step in steps.STEPS)
    steps.verify_plan = _then(steps.verify_plan, marks, after=VERIFIED)
    Journal.send = _then(Journal.send, marks, before=INTENDS, after=INTENDED)
    Journal.settle = _then(Journal.settle, marks, after=NOTED)
    SystemPush._write = _then(SystemPush._write, marks, after=SENT)
    Session._sent = _then(Session._sent, marks, before=SENDS)


def _marked(step: Callable[..., object], marks: Marks) -> Callable[..., object]:
    @wraps(step)
    def marked(*args: Any) -> object:
        marks.pass_by("before", step.__name__)
        result = step(*args)
        marks.pass_by("after")
        return result

    return marked


def _then(work: Callable[..., Any], marks: Marks, *, before: str = "", after: str = "") -> Any:
    @wraps(work)
    async def marked(*args: Any, **named: Any) -> Any:
        if before:
            marks.pass_by(before)
        result = await work(*args, **named)
        if after:
            marks.pass_by(after)
        return result

    return marked


def _settle_lease(order: Order) -> None:
    take = partial(acquire, length=timedelta(seconds=order.lease_seconds))
    workplace.acquire = lambda path, **how: take(order.lease or path, **how)


def _made_read_only(folder: Path) -> bool:
    """For this process alone: mode bits say nothing to root, a mount does."""
    call, path = ctypes.CDLL(None, use_errno=True), os.fsencode(folder)
    return not (
        call.unshare(_NEW_MOUNTS) or call.mount(None, b"/", None, _ALL | _PRIVATE, None)
        or call.mount(path, path, None, _BIND, None)
        or call.mount(path, path, None, _BIND | _REMOUNT | _READ_ONLY, None)
    )
