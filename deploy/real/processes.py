"""Free ports, waiting for a server to answer, running a command to its end, stopping what was started."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

_TAIL_BYTES = 2000
_STARTED: dict[int, "subprocess.Popen[bytes]"] = {}
"""The servers that this process started: only their parent learns that they have ended."""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None, user: str | None = None,
        seconds: float = 600) -> str:
    """A command's output. RuntimeError with the end of what it said where it fails or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env={**os.environ, **(environment or {})}, user=user, text=True, timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{command[0]} took longer than {seconds:.0f} s") from error
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}): {done.stdout[-_TAIL_BYTES:]}")
    return done.stdout


def start(command: Sequence[str], *, cwd: Path, log: Path, environment: Mapping[str, str] | None = None) -> int:
    """A server in a session of its own, so that it outlives who started it; its pid."""
    with log.open("ab") as out:
        server = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=out,
            stderr=out, start_new_session=True,
        )
    _STARTED[server.pid] = server
    return server.pid


def wait_for(url: str, pid: int, *, seconds: float, log: Path) -> None:
    """Until a GET answers with 200. RuntimeError with the log's end where the server dies or stays silent."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        if not is_alive(pid):
            raise RuntimeError(f"the server ended: {log.read_text(errors='replace')[-_TAIL_BYTES:]}")
        time.sleep(0.2)  # noqa: TID251 servers start in real time
    raise RuntimeError(f"no answer in {seconds:.0f} s: {log.read_text(errors='replace')[-_TAIL_BYTES:]}")


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    if (ours := _STARTED.get(pid)) is not None and ours.poll() is not None:
        del _STARTED[pid]
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def stop(pid: int, *, seconds: float = 20) -> None:
    """End a process, at last by force; nothing where it has ended already."""
    if is_alive(pid):
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            until += seconds
        time.sleep(0.1)  # noqa: TID251 servers end in real time
