"""The kill switch (R8): a file in trueup's home. While it is there nothing is sent to any system, opt-outs neither.

Made by `trueup stop`, with who stopped it and why, or by hand (`touch`), which says nothing; taken away by `trueup go`.
Whether it is there is asked before every batch (`pipelines.push`); here is who reads and writes what it says.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from pipelines.errors import ConfigurationError, DataError


class _Said(msgspec.Struct, frozen=True):
    author: str = ""
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Who stopped trueup, when and why; blank where the file was made by hand."""

    author: str = ""
    reason: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        who = f" by {self.author}" if self.author else ""
        when = f" since {self.at.isoformat(sep=' ', timespec='minutes')}" if self.at else ""
        return f"trueup is stopped{who}{when}" + (f" ({self.reason})" if self.reason else "")


def is_set(path: Path) -> bool:
    """Whether it is there, whatever it is; where that cannot be told, it is."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def read_stop(path: Path) -> Stop | None:
    """What the kill switch says; None where there is none. One that cannot be read stops like any other."""
    if not is_set(path):
        return None
    try:
        content = path.read_bytes()
    except OSError:
        return Stop(reason="the file cannot be read")
    if not content.strip():
        return Stop()
    try:
        said = msgspec.json.decode(content, type=_Said)
    except msgspec.DecodeError:
        return Stop(reason=content.decode("utf-8", errors="replace").strip().splitlines()[0][:200])
    return Stop(said.author, said.reason, said.at)


def stop(path: Path, said: Stop) -> Stop:
    """Set the kill switch; returns what it says, which is the older word where it was set before."""
    if not said.author.strip() or not said.reason.strip():
        raise DataError("a stop needs its author and a reason")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = msgspec.json.encode(_Said(said.author, said.reason, said.at))
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return read_stop(path) or said
    return said


def go(path: Path) -> Stop | None:
    """Take the kill switch away; returns what it said, None where there was none."""
    said = read_stop(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        words = f"{path.name} stops trueup and cannot be taken away ({error.strerror}); remove it by hand"
        raise ConfigurationError(words) from error
    return said
