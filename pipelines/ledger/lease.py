"""The lease: one writer at a time, across processes, whoever started them (R5). A file with a growing fencing token.

A holder checks its lease before every batch it sends; a holder that slept past its time finds a higher token and stops.
A lease is free when released, when its heartbeat is older than its length, or when its process on this host is gone.
The file is never deleted, so the token only grows. The clock is handed in.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from pipelines.clock import Clock
from pipelines.errors import ConfigurationError, LeaseHeld, NotDurable

LENGTH = timedelta(minutes=15)
"""Longer than the longest step that cannot send a heartbeat (one SQL statement at full size)."""


class _Entry(msgspec.Struct, frozen=True):
    token: int
    holder: str
    host: str
    pid: int
    heartbeat_at: datetime
    is_released: bool = False


class Lease:
    """A held lease; get one from `acquire`, give it back with `release` or by leaving its `with` block."""

    def __init__(self, path: Path, entry: _Entry, clock: Clock, length: timedelta) -> None:
        self._path, self._entry, self._clock, self._length = path, entry, clock, length

    @property
    def token(self) -> int:
        """Grows with every acquisition of this file."""
        return self._entry.token

    def check(self) -> None:
        """Raise LeaseHeld unless this lease still holds; sends a heartbeat when the last one is getting old."""
        now = self._clock.now()
        age = now - self._entry.heartbeat_at
        if age >= self._length / 3:
            self.beat()
            return
        current = _read(self._path)
        if current is None or current.token != self.token or current.is_released:
            raise _held(current, "the writing lease was taken over")

    def beat(self) -> None:
        """Prolong the lease; LeaseHeld where another has it by now, NotDurable where its file cannot be written."""
        try:
            with _locked(self._path):
                current = _read(self._path)
                if current is None or current.token != self.token or current.is_released:
                    raise _held(current, "the writing lease was taken over")
                self._entry = msgspec.structs.replace(self._entry, heartbeat_at=self._clock.now())
                _write(self._path, self._entry)
        except OSError as error:
            raise NotDurable(_unwritable(self._path, error)) from error

    def release(self) -> None:
        """Give it back; nothing happens where another has it by now."""
        with _locked(self._path):
            current = _read(self._path)
            if current is not None and current.token == self.token:
                _write(self._path, msgspec.structs.replace(current, is_released=True))

    def __enter__(self) -> "Lease":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a full disk: what broke the run is to be told, and its end frees the lease as well
            self.release()


def acquire(path: Path, *, holder: str, clock: Clock, length: timedelta = LENGTH) -> Lease:
    """Take the lease or raise LeaseHeld naming who has it, since when, and until when.

    ConfigurationError, naming the file, where it cannot be written: who cannot say that it writes does not (R19).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(path):
            current, now = _read(path), clock.now()
            if current is not None and not _is_free(current, now, length):
                raise _held(current, "another run is writing", until=current.heartbeat_at + length)
            entry = _Entry(
                token=(current.token if current else 0) + 1, holder=holder, host=socket.gethostname(),
                pid=os.getpid(), heartbeat_at=now,
            )
            _write(path, entry)
    except OSError as error:
        raise ConfigurationError(_unwritable(path, error)) from error
    return Lease(path, entry, clock, length)


def is_overdue(path: Path, holder: str, *, now: datetime, length: timedelta = LENGTH) -> bool:
    """Whether the last holder is this one, has not given the lease back, and has not been heard of for its length."""
    current = _read(path)
    if current is None or current.holder != holder or current.is_released:
        return False
    return now - current.heartbeat_at >= length


def _is_free(entry: _Entry, now: datetime, length: timedelta) -> bool:
    if entry.is_released or now - entry.heartbeat_at >= length:
        return True
    return entry.host == socket.gethostname() and not _is_alive(entry.pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_remains(pid)


def _is_remains(pid: int) -> bool:
    """Whether it has ended and only its number is left, since nobody has waited for it (a container without init)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not a system that tells
        return False
    return told.rpartition(")")[2].split()[0] in ("Z", "X")


def _unwritable(path: Path, error: OSError) -> str:
    return f"{error.filename or path} cannot be written: {error.strerror}; mend it and run again"


def _held(entry: _Entry | None, what: str, until: datetime | None = None) -> LeaseHeld:
    if entry is None:
        return LeaseHeld(f"{what}: the lease file is gone")
    state = "released" if entry.is_released else f"last heard of at {entry.heartbeat_at.isoformat(timespec='seconds')}"
    tail = f", free at {until.isoformat(timespec='seconds')} unless it is renewed" if until else ""
    return LeaseHeld(f"{what}: {entry.holder} (process {entry.pid} on {entry.host}, {state}{tail})")


def _read(path: Path) -> _Entry | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Entry)
    except FileNotFoundError:
        return None


def _write(path: Path, entry: _Entry) -> None:
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(entry))
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o600)
    draft.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Readers and writers of the file, one at a time; the operating system drops the lock of a dead process."""
    with path.with_name(f"{path.name}.lock").open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
