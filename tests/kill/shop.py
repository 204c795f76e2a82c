"""One retailer in a folder: a world served over loopback by a process of its own, a home, and runs in processes.

Processes are forked from a server that has imported all that a run needs, so that one begins within milliseconds.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Any

from resources.embedded import introduction
from sandbox.__main__ import main as sandbox
from sandbox.store import Store
from tests.kill.child import Order, end_with_parent, obey

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.kill.child", "tests.kill.preload"])
LONGEST = 240.0
"""Seconds after which a process that has not ended is taken to hang."""


@dataclass(slots=True)
class Running:
    """A run in its process."""

    order: Order
    process: BaseProcess

    @property
    def places(self) -> list[tuple[float, str, str]]:
        """Where it came by: (seconds of the machine's clock, step, name)."""
        if not self.order.marks.exists():
            return []
        lines = self.order.marks.read_text(encoding="utf-8").splitlines(keepends=True)
        rows = [line.rstrip("\n").split("\t") for line in lines if line.endswith("\n")]
        return [(float(at), step, name) for at, step, name in rows]

    @property
    def step(self) -> str:
        """The step that it was last seen in; "between" two of them."""
        if not (places := self.places):
            return "opening"
        _, step, name = places[-1]
        return "between" if name == "after" else step

    @property
    def said(self) -> str:
        """Its words, warnings of Python's own left out."""
        lines = self.order.words.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines if "nanobind" not in line and not line.startswith(" - leaked"))

    def lived(self, seconds: float) -> bool:
        """Wait; whether it has not ended by then."""
        return not wait([self.process.sentinel], max(seconds, 0.0))

    def reached(self, step: str, name: str = "before", seconds: float = LONGEST) -> bool:
        """Wait until it comes by a place; whether it did."""
        until = monotonic() + seconds
        while monotonic() < until:
            if any(place[1:] == (step, name) for place in self.places):
                return True
            if not self.lived(0.002):
                return any(place[1:] == (step, name) for place in self.places)
        return False

    def kill(self) -> bool:
        """SIGKILL; whether it was at work until then."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid or 0, signal.SIGKILL)
        return self.ended() == -signal.SIGKILL

    def stands(self) -> bool:
        """Wait until it stands still; whether it does."""
        until = monotonic() + LONGEST
        while monotonic() < until and self.lived(0.01):
            told = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
            if told.rpartition(")")[2].split()[0] == "T":
                return True
        return False

    def wake(self) -> None:
        """SIGCONT."""
        os.kill(self.process.pid or 0, signal.SIGCONT)

    def ended(self) -> int:
        """Wait for its end; its exit code, or the signal that ended it below zero."""
        self.process.join(LONGEST)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"{self.order.name} did not end within {LONGEST:.0f} s: {self.places[-3:]}")
        return self.process.exitcode


@dataclass(slots=True)
class Shop:
    """The folder, and what runs over it."""

    folder: Path
    url: str = ""
    port: int = 0
    """Where the systems listen."""
    home_name: str = "home"
    runs: list[Running] = field(default_factory=list)
    _server: BaseProcess | None = None

    @classmethod
    def copied(cls, played: Path, folder: Path) -> "Shop":
        """As a played estate was left."""
        shutil.copytree(played, folder)
        return cls(folder)

    @property
    def world(self) -> Path:
        """The sandbox's files."""
        return self.folder / "world"

    @property
    def home(self) -> Path:
        """Trueup's."""
        return self.folder / self.home_name

    @contextmanager
    def served(self, public_url: str = "") -> Iterator["Shop"]:
        """The systems are up; what still runs at the end is ended. `public_url`: of a proxy that stands before them."""
        told = self.folder / "url"
        self._server = FORKS.Process(target=serve, args=(self.world, told, public_url), daemon=True)
        self._server.start()
        until = monotonic() + LONGEST
        while not (told.exists() and told.read_text(encoding="ascii").endswith("\n")) and monotonic() < until:
            assert not wait([self._server.sentinel], 0.002), "the sandbox did not start"
        own = told.read_text(encoding="ascii").strip()
        self.url, self.port = public_url or own, int(own.rpartition(":")[2])
        try:
            yield self
        finally:
            for run in self.runs:
                run.process.kill()
                run.process.join()
            self._server.kill()
            self._server.join()
            told.unlink()

    def environment(self) -> Mapping[str, str]:
        """What a process of trueup is told."""
        return {
            **introduction(self.url), "TRUEUP_HOME": str(self.home), "TRUEUP_ESTATE": str(self.world / "estate.toml"),
            "TRUEUP_CONTACT_KEY": "the tests' own key", "TRUEUP_THREADS": "1",
        }

    def begin(self, **order: Any) -> Running:
        """Start a run."""
        name = f"run {len(self.runs) + 1}"
        given = Order(**{"environment": self.environment(), "folder": self.folder, "name": name, **order})
        process = FORKS.Process(target=obey, args=(given,), daemon=True)
        process.start()
        self.runs.append(Running(given, process))
        return self.runs[-1]

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The systems' own files, beside the server."""
        store = Store(self.world / "world.sqlite")
        try:
            yield store
        finally:
            store._db.close()  # its clock is the server's to store

    def twin(self) -> "Path":
        """A copy of the home as its files lie now, as another host would have them from a disk that knows no locks."""
        return Path(shutil.copytree(self.home, self.folder / "twin"))

    def effects(self, after_seq: int = 0) -> list[dict[str, Any]]:
        """The systems' own log."""
        with self.store() as store:
            return store.effects(after_seq=after_seq)

    def calls(self) -> int:
        """How many calls the systems have taken."""
        with self.store() as store:
            return int(store._db.execute("SELECT coalesce(sum(count), 0) FROM calls").fetchone()[0])


def serve(world: Path, told: Path, public_url: str = "") -> None:
    """The sandbox's own server, on a port that is free; writes its address down."""
    end_with_parent()
    with told.open("w", buffering=1, encoding="ascii") as sys.stdout:
        sandbox(["serve", "--dir", str(world), "--port", "0", *(["--public-url", public_url] if public_url else [])])
