"""What a check is and what it can say: passed, failed, or not shown with the reason. Nothing is passed unseen."""

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import SyncError

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
    PAGES = "pages"
    """No more than reads, in the smaller pages that `conformance.hands` know how to ask for."""
    WRITES = "writes"
    """Values are written, and restored."""
    HANDS = "hands"
    """Records are made, edited and removed by `conformance.hands`; implies writing."""

    @property
    def writes(self) -> bool:
        """Whether anything is changed in the system."""
        return self in (Need.WRITES, Need.HANDS)

    @property
    def asks_hands(self) -> bool:
        """Whether it is not shown where nobody wrote hands."""
        return self in (Need.PAGES, Need.HANDS)


class Failed(Exception):
    """The connector or the server does not do what is declared. The words hold no value of a record."""


class NotShown(Exception):
    """Nothing here could show it; the words say what was missing."""


def words_of(error: Exception) -> str:
    """What went wrong. Of an error that nobody foresaw no more than its kind and place: its words may hold values."""
    if isinstance(error, Failed | NotShown):
        return str(error)
    if isinstance(error, SyncError):
        return f"{type(error).__name__}: {error}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name} line {place.lineno}"


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
