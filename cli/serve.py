"""`trueup ui`: the sandbox and Dagster on 127.0.0.1, both ended together."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from cli.home import ROOT, dagster_home
from cli.night import outside
from resources.channels import Settings


def ui(settings: Settings, console: Console, port: int) -> int:
    """Serve until interrupted; returns the exit code."""
    dagster_home(settings)
    with outside(settings, console):
        command = [
            str(Path(sys.executable).with_name("dagster")), "dev", "-m", "definitions", "-h", "127.0.0.1", "-p",
            str(port),
        ]
        # A process group of its own: Dagster's server, daemon and code server all have to end with it.
        child = subprocess.Popen(command, cwd=ROOT, start_new_session=True, env={**os.environ})
        console.print(f"Dagster on http://127.0.0.1:{port} (Ctrl-C ends it)")
        try:
            return child.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    for word, patience in ((signal.SIGINT, 15.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, word)
        except ProcessLookupError:
            return
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
