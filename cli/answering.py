"""The commands by which a person answers held rows. `cli.main` registers them; `cli.answers` signs the words."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.leaving import leave
from cli.screen import tell

Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the answer.")]
Author = Annotated[
    str, typer.Option("--author", help="Who says so; the key's owner in estate.toml, else the system's user.")
]
RowKeys = Annotated[list[str], typer.Argument()]


def approve(keys: RowKeys, reason: Reason, author: Author = "") -> None:
    """Release held rows; `trueup push` or the next night writes them.

    \b
    KEYS  correction keys, or their first 6 characters or more (`trueup status` lists them)
    """
    _answer("approve", keys, reason, author, None)


def reject(keys: RowKeys, reason: Reason, author: Author = "") -> None:
    """Say no to held rows; they are not asked again while nothing changes.

    \b
    KEYS  correction keys, or their first 6 characters or more (`trueup status` lists them)
    """
    _answer("reject", keys, reason, author, None)


def accept_theirs(keys: RowKeys, reason: Reason, author: Author = "") -> None:
    """Make the edited value the truth: the source of truth is corrected toward it.

    \b
    KEYS  correction keys, or their first 6 characters or more (`trueup status` lists them)
    """
    _answer("accept-theirs", keys, reason, author, None)


def pin(
    keys: RowKeys, reason: Reason,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day it holds.")],
    author: Author = "",
) -> None:
    """Leave the values as they are until a day.

    \b
    KEYS  correction keys, or their first 6 characters or more (`trueup status` lists them)
    """
    _answer("pin", keys, reason, author, until)


def decide(
    sheet: Annotated[Path, typer.Argument()],
    author: Author = "",
) -> None:
    """Take in the decisions of a spreadsheet, all or none.

    \b
    SHEET  a plan exported with `trueup plan --export`, its column `decision` filled in
    """
    from cli import answers

    def run() -> int:
        tell(f"{answers.decide(_settings(), sheet, author=author)} decisions dropped in the inbox")
        return 0

    leave(run)


def _answer(kind: Any, keys: list[str], reason: str, author: str, until: datetime | None) -> None:
    from cli import answers

    def run() -> int:
        day = until.date() if until else None
        for key in answers.answer(_settings(), kind, keys, reason=reason, author=author, until=day):
            tell(f"{kind}: {key}")
        return 0

    leave(run)


def _settings() -> Any:
    from cli.home import prepare

    return prepare()
