"""The command lines that the page prints, whole, so that they can be copied as they stand.

A test reads every one of them from a rendered page with the command line's own parser.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pipelines.report.mask import PERSONAL_ENTITIES

KEY_LENGTH = 12
REASON = "checked with the shop"
PINNED_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Command:
    """One line to copy, and what it is for."""

    words: str
    line: str


def answers(row: Mapping[str, Any], today: date) -> list[Command]:
    """The four answers to a held row, for its own key."""
    key = str(row["correction_key"])[:KEY_LENGTH]
    return [
        Command("Release it: the value is corrected.", _line("approve", key)),
        Command("Keep the edited value, and correct the source of truth toward it.", _line("accept-theirs", key)),
        Command("Say no: it is not asked again while nothing changes.", _line("reject", key)),
        Command("Leave it as it is until a day.", _line("pin", key, "--until", (today + PINNED_FOR).isoformat())),
    ]


def sheet() -> list[Command]:
    """The merchandiser's way: a spreadsheet out, its decisions in, and the push."""
    return [
        Command("Take the whole plan out as a spreadsheet.", "trueup plan --last --export plan.xlsx"),
        Command("Take in its column “decision”, once filled in.", "trueup decide plan.xlsx"),
        PUSH,
    ]


PUSH = Command("Push now what was approved; otherwise the next night does.", "trueup push")

WORKLIST = Command("Take the whole work list out, with what would be entered.", "trueup worklist --export worklist.csv")


def why(row: Mapping[str, Any]) -> str:
    """The line that tells all that is stored about the row's item or person."""
    is_item = row["entity"] not in PERSONAL_ENTITIES
    word = str((row["sku"] if is_item else None) or row["vendor_id"])
    return shlex.join(["trueup", "why", *(["--"] if word.startswith("-") else []), word])


def _line(*words: str) -> str:
    return f'trueup {shlex.join(words)} --reason "{REASON}"'
