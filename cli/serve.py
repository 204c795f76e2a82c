"""`trueup ui`: the sandbox, Dagster's web server and its daemon on 127.0.0.1, all ended together."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cli.home import ROOT, dagster_home
from cli.outside import outside
from resources.settings import Settings

_PATIENCE_SECONDS = 15.0


def ui(settings: Settings, console: Console, port: int) -> int:
    """Serve until interrupted or ended; returns the exit code."""
    dagster_home(settings)
    web = ["dagster-webserver", "-h", "127.0.0.1", "-p", str(port), "--log-level", "warning"]
    daemon = ["dagster-daemon", "run", "--log-level", "warning"]
    with _interruptible(), outside(settings, console):
        children = [_start(command) for command in (web, daemon)]
        console.print(f"Dagster on http://127.0.0.1:{port} (Ctrl-C ends it)")
        try:
            return children[0].wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end(children)


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    name, *words = command
    # A process group of its own: the code servers that it starts have to end with it. The code location is the one
    # that pyproject.toml names, so the place is the root.
    return subprocess.Popen(
        [str(Path(sys.executable).with_name(name)), *words], cwd=ROOT, start_new_session=True, env={**os.environ}
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
