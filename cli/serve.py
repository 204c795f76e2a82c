"""`trueup ui`: the sandbox, Dagster's web server and its daemon on 127.0.0.1, all ended together."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console

from cli.history import opened
from cli.home import ROOT, dagster_home
from cli.outside import child_wait, free_port, outside
from pipelines.errors import FatalChannelError
from resources.settings import Settings

_PATIENCE_SECONDS = 15.0
_LOADS_WITHIN_SECONDS = 120.0
_QUIET = ("--log-level", "warning")


def ui(settings: Settings, console: Console, port: int) -> int:
    """Serve until interrupted or ended; returns the exit code."""
    folder = dagster_home(settings)
    with _interruptible(), outside(settings, console):
        inner, words = free_port(), folder / "console.log"
        where = ["-w", str(_workspace(folder, inner))]
        code = ["dagster", "code-server", "start", "-m", "definitions", "-h", "127.0.0.1", "-p", str(inner)]
        web = ["dagster-webserver", "-h", "127.0.0.1", "-p", str(port), *where]
        children: list[subprocess.Popen[bytes]] = []
        with words.open("wb") as sink:
            try:
                with opened(folder):
                    pass  # its databases are there before web server and daemon begin at once
                children.append(_start([*code, *_QUIET], sink))
                _await_code(inner, children[0], words)
                for command in (web, ["dagster-daemon", "run", *where]):
                    children.append(_start([*command, *_QUIET], sink))
                console.print(f"Dagster on http://127.0.0.1:{port} (Ctrl-C ends it); what it says goes to {words}")
                if ended := children[1].wait():
                    console.print(f"Dagster's web server ended with code {ended}; see {words}", style="red")
                return ended
            except KeyboardInterrupt:
                return 0
            finally:
                _end(children)


def _workspace(folder: Path, port: int) -> Path:
    """One code server for web server and daemon: of their own, each would be started anew every minute, with words."""
    path = folder / "workspace.yaml"
    path.write_text(
        "# Written by `trueup ui`: where its code server is.\n"
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {port}, location_name: trueup}}\n",
        encoding="utf-8",
    )
    return path


def _await_code(port: int, child: "subprocess.Popen[bytes]", words: Path) -> None:
    until = time.monotonic() + _LOADS_WITHIN_SECONDS
    while time.monotonic() < until and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        child_wait(child, 0.1)
    tail = words.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise FatalChannelError(f"Dagster's code server did not start; the end of {words}:\n{tail}")


def _start(command: list[str], sink: BinaryIO) -> "subprocess.Popen[bytes]":
    name, *words = command
    # Every event of every run would come to the console otherwise; Dagster shows them where they belong.
    # A process group of its own: what it starts has to end with it.
    return subprocess.Popen(
        [str(Path(sys.executable).with_name(name)), *words], cwd=ROOT, start_new_session=True, env={**os.environ},
        stdout=sink, stderr=sink,
    )


def _end(children: list["subprocess.Popen[bytes]"]) -> None:
    for word in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for child in children:
            try:
                os.killpg(child.pid, word)
            except ProcessLookupError:
                continue
        for child in children:
            try:
                child.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        if all(child.poll() is not None for child in children) and word is not signal.SIGINT:
            return


@contextmanager
def _interruptible() -> Iterator[None]:
    """Being ended is like Ctrl-C, also where a shell starts us with interrupts switched off."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {word: signal.signal(word, interrupt) for word in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for word, handler in before.items():
            signal.signal(word, handler)
