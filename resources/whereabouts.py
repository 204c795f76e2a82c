"""Which process a run works in, as tags of the run, and whether that process is gone (R6). Knows no Dagster.

A number alone says little: a later process may have it, and so may one of another container on the same host. So the
tags also say which boot, which namespace of numbers, and when the process began, where the system tells; Linux does.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST, PID, SPACE, BEGAN = "trueup/host", "trueup/pid", "trueup/pid_space", "trueup/pid_began"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told from every other. `space`, `began`: '' where the system does not tell."""

    host: str
    pid: int
    space: str = ""
    began: str = ""

    @classmethod
    def here(cls) -> "Process":
        """This one."""
        return cls(socket.gethostname(), os.getpid(), _space(), _began(os.getpid()) or "")

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> "Process | None":
        """The one that a run's tags name; None where they name none."""
        pid = tags.get(PID, "")
        if not pid.isdecimal() or not tags.get(HOST):
            return None
        return cls(tags[HOST], int(pid), tags.get(SPACE, ""), tags.get(BEGAN, ""))

    def tags(self) -> dict[str, str]:
        """As a run carries it."""
        told = {HOST: self.host, PID: str(self.pid), SPACE: self.space, BEGAN: self.began}
        return {name: value for name, value in told.items() if value}

    def is_gone(self) -> bool:
        """Whether it has ended for certain; one of another host or container cannot be seen from here."""
        if self.host != socket.gethostname() or self.space != _space():
            return False
        if self.began and (began := _began(self.pid)) is not None:
            return began != self.began
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def _space() -> str:
    """What this process's number is a number of; '' where the system does not tell."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _began(pid: int) -> str | None:
    """When a process began, in ticks since the boot; '' for what is left of one (a zombie), None where none is seen."""
    try:
        told = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = told.rpartition(")")[2].split()  # what stands before may hold anything: the program's name
    return "" if fields[0] in ("Z", "X") else fields[19]
