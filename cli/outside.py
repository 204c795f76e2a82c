"""The sandbox as a child process: made where it is missing, served while a command needs it, ended with it.

Reached over HTTP alone, like the vendors it plays. A sandbox that is served already (by `make ui`) is used, not ended.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.home import ROOT, sandbox_secrets
from pipelines.errors import FatalChannelError
from resources.channels import Settings
from resources.embedded import answers, introduction

PORT = 8765
_PATIENCE_SECONDS = 60.0
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
        return url if answers(url) else None

    def create(self) -> None:
        """Make the world; a half-made one is made again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([*self.command("create"), *self.sizes], cwd=ROOT, check=True)


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The sandbox, up and answering; its base URL. Credentials and URLs of its systems are put in the environment."""
    world = World.of(settings)
    sandbox_secrets(settings)
    if not world.exists:
        world.create()
    running = world.running()
    if running:
        _introduce(running)
        yield running
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = world.folder / "server.log"
    with log.open("ab") as sink:
        child = subprocess.Popen(
            world.command("serve", "--port", str(port)), cwd=ROOT, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        _await(url, child, log)
        (world.folder / "url").write_text(url, encoding="ascii")
        _introduce(url)
        yield url
    finally:
        (world.folder / "url").unlink(missing_ok=True)
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _introduce(url: str) -> None:
    """Put what the connectors need to know of the sandbox in the environment; credentials that are there stay."""
    for name, value in introduction(url).items():
        if name.endswith("_URL"):
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


def _await(url: str, child: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if child.poll() is not None:
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise FatalChannelError(f"the sandbox did not start; the end of {log}:\n{tail}")
        if answers(url):
            return
        child_wait(child, 0.1)
    raise FatalChannelError(f"the sandbox did not answer within {_PATIENCE_SECONDS:.0f} s; see {log}")


def child_wait(child: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait a little, less if the child ends."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def free_port() -> int:
    """The usual port, or any free one where that is taken."""
    for port in (PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise FatalChannelError("no free port on 127.0.0.1")
