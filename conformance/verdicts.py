"""What a check is and what it can say: passed, failed, or not shown with the reason. Nothing is passed unseen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.bench import Bench


class Verdict(StrEnum):
    """The three answers."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SHOWN = "not shown"


class Need(StrEnum):
    """What a check needs beside reading."""

    READS = "reads"
    WRITES = "writes"
    """Values are written, and restored."""
    HANDS = "hands"
    """Records are made, edited and removed by `conformance.hands`; implies writing."""


class Failed(Exception):
    """The connector or the server does not do what is declared. The words hold no value of a record."""


class NotShown(Exception):
    """Nothing here could show it; the words say what was missing."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question, asked of every system."""

    name: str
    need: Need
    shows: str
    """One line for people."""
    run: Callable[["Bench"], Awaitable[str]]
    """Answers with what was seen. Raises Failed, NotShown, or a ChannelError, which is a failure too."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check."""

    check: str
    shows: str
    verdict: Verdict
    detail: str
