"""The sandbox as a child process: made where it is missing, served while a command needs it, ended with it.

Reached over HTTP alone, like the vendors it plays. A sandbox that another command serves already is used, not served a
second time; and whoever serves it waits, before ending it, until the last other command is done with it (`_Users`).
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.home import ROOT, is_embedded, sandbox_secrets
from pipelines.errors import ConfigurationError, FatalChannelError
from resources.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

PORT = 8765
_PATIENCE_SECONDS = 60.0
STDERR = 2
_ASKED_WRONG = 2
"""The sandbox's exit code where it was asked for what cannot be."""
_SIZES = ("SEED", "VARIANTS", "PERSONS", "SHOPS")


@dataclass(frozen=True, slots=True)
class World:
    """Where the sandbox keeps its world, and of what size a new one is."""

    folder: Path
    sizes: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "World":
        """The world of these settings; SEED, VARIANTS, PERSONS and SHOPS size a new one."""
        sizes = []
        for name in _SIZES:
            if value := settings.environment.get(name, "").strip():
                sizes += [f"--{name.lower()}", value]
        return cls(settings.home / "sandbox", tuple(sizes))

    @property
    def exists(self) -> bool:
        """Whether it has been made."""
        return (self.folder / "world.sqlite").exists() and (self.folder / "estate.toml").exists()

    def command(self, *words: str) -> list[str]:
        """A command line of the sandbox."""
        return [sys.executable, "-m", "sandbox", *words, "--dir", str(self.folder)]

    def running(self) -> str | None:
        """Where it is served at the moment, if it is."""
        kept = self.folder / "url"
        if not kept.exists():
            return None
        url = kept.read_text(encoding="ascii").strip()
        return url if _answers(url, self.folder) else None

    def ensure(self) -> None:
        """Make it where it is missing; where sizes are asked for, ConfigurationError unless they are its own."""
        if self.sizes or not self.exists:
            self.create()

    def create(self) -> None:
        """Make the world, a half-made one anew. ConfigurationError for sizes that cannot be, or are not its own."""
        for name, value in zip(self.sizes[::2], self.sizes[1::2], strict=True):
            if not value.isascii() or not value.isdecimal():
                raise ConfigurationError(f"{name[2:].upper()} is {value!r}; allowed: a whole number")
        self.folder.mkdir(parents=True, exist_ok=True)
        # What it says goes to stderr: stdout is for results, and may be JSON.
        told = subprocess.DEVNULL if self.exists else STDERR
        words = [*self.command("create"), *self.sizes]
        done = subprocess.run(words, cwd=ROOT, stdout=told, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == _ASKED_WRONG:
            raise ConfigurationError(done.stderr.strip().splitlines()[-1])
        if done.returncode:
            raise FatalChannelError(f"the sandbox could not make its world:\n{done.stderr[-2000:]}")


class _Users:
    """Who uses the sandbox now: a file lock that its users share, and that its server takes alone before it ends."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "users.lock").open("a")

    def join(self) -> None:
        """Use it; waits while a server is ending."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def wait_for_others(self, say: Callable[[str], None]) -> None:
        """Return once nobody else uses it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command uses this sandbox; it is served until that is done")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def leave(self) -> None:
        """Be done with it."""
        self._file.close()


@contextmanager
def served(settings: Settings, say: Callable[[str], None] = lambda words: None) -> Iterator[str]:
    """The sandbox, up and answering; its base URL. Credentials and URLs of its systems are put in the environment."""
    world = World.of(settings)
    sandbox_secrets(settings)
    world.ensure()
    users = _Users(world.folder)
    child = None
    try:
        with (world.folder / "start.lock").open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)  # of two commands at the same time, one starts it
            users.join()
            url = world.running()
            if url is None:
                url, child = _start(world)
        introduce(url)
        yield url
        if child is not None:
            users.wait_for_others(say)
    finally:
        if child is not None:
            _end(world, child)
        users.leave()


def _start(world: World) -> "tuple[str, subprocess.Popen[bytes]]":
    """Serve it. A port that was free a moment ago may be another's by now: then once more, on one nobody asks for."""
    try:
        return _serve(world, free_port())
    except FatalChannelError:
        return _serve(world, free_port(usual=()))


def _serve(world: World, port: int) -> "tuple[str, subprocess.Popen[bytes]]":
    url = f"http://127.0.0.1:{port}"
    log = world.folder / "server.log"
    with log.open("ab") as sink:
        child = subprocess.Popen(
            world.command("serve", "--port", str(port)), cwd=ROOT, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        _await(url, world, child, log)
    except BaseException:
        _end(world, child)
        raise
    (world.folder / "url").write_text(url, encoding="ascii")
    return url, child


def _end(world: World, child: "subprocess.Popen[bytes]") -> None:
    (world.folder / "url").unlink(missing_ok=True)
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def outside(settings: Settings, console: "Console") -> Iterator[Settings]:
    """The settings with which the estate's systems can be reached: the sandbox is served while they are used."""
    if not is_embedded():
        yield settings
        return
    if not World.of(settings).exists:
        console.print("making the sandbox's world", style="dim")
    with served(settings, lambda words: console.print(words, style="dim")):
        yield Settings.read()


def introduce(url: str) -> None:
    """Put what the connectors need to know of the sandbox in the environment; credentials that are there stay."""
    from resources.embedded import introduction

    for name, value in introduction(url).items():
        if name.endswith("_URL"):
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


def _await(url: str, world: World, child: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if child.poll() is not None:
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise FatalChannelError(f"the sandbox did not start; the end of {log}:\n{tail}")
        if _answers(url, world.folder):
            return
        child_wait(child, 0.1)
    raise FatalChannelError(f"the sandbox did not answer within {_PATIENCE_SECONDS:.0f} s; see {log}")


def child_wait(child: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait a little, less if the child ends."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _answers(url: str, folder: Path) -> bool:
    """Whether the world of this folder is served there: another's would be read, and written, as if it were ours."""
    # Loopback, no TLS: the standard library asks at once, where httpx would first have to be imported.
    connection = HTTPConnection(urlsplit(url).netloc, timeout=2.0)
    try:
        connection.request("GET", "/_control/health")
        answer = connection.getresponse()
        return answer.status == 200 and json.loads(answer.read()).get("world") == str(folder.resolve())
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()


def free_port(usual: tuple[int, ...] = (PORT,)) -> int:
    """The usual port, or any free one where that is taken."""
    for port in (*usual, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise FatalChannelError("no free port on 127.0.0.1")
