"""What a person says about held rows: signed files in the inbox, that the next run takes in. Imports no Dagster."""

import getpass
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time
from pathlib import Path

import duckdb

from cli.signing import signer
from pipelines.errors import ConfigurationError, DataError
from pipelines.ledger.answerable import check_answer
from pipelines.ledger.inbox import Answer, AnswerKind, drop
from pipelines.toml_file import read_file
from resources.clock import SystemClock
from resources.copies import open_copy
from resources.settings import Settings

_FIND = (
    "SELECT DISTINCT c.correction_key FROM ledger.sync.corrections AS c "
    "WHERE starts_with(c.correction_key, ?) ORDER BY ALL LIMIT 3"
)
_KEYS = "SELECT DISTINCT c.correction_key FROM ledger.sync.corrections AS c"
_PLAN = "SELECT 1 FROM ledger.sync.plans AS p WHERE p.fingerprint = ?"
SHORTEST = 6


def answer(
    settings: Settings, kind: AnswerKind, keys: Sequence[str], *, reason: str, author: str, until: date | None = None
) -> list[str]:
    """Drop one answer per key (or its beginning); returns the whole keys. DataError where a row cannot take it."""
    own = signer(settings)
    author = author or own.name or getpass.getuser()
    with copy_of(settings) as con:
        at = estate_time(settings, con)
        found = [_one(con, key) for key in keys]
        _check(con, [(f"{key[:12]}: ", key, kind) for key in found])
    end = datetime.combine(until, time(23, 59), tzinfo=UTC) if until else None
    for key in found:
        said = Answer(correction_key=key, answer=kind, author=author, reason=reason, at=at, until=end)
        drop(settings.inbox, said, own)
    return found


def decide(settings: Settings, sheet: Path, *, author: str) -> int:
    """Drop the decisions of a spreadsheet that came back, all or none; returns how many."""
    from pipelines.spreadsheet import read_decisions

    own = signer(settings)
    author = author or own.name or getpass.getuser()
    with copy_of(settings) as con:
        at = estate_time(settings, con)
        known = {str(row[0])[:12]: str(row[0]) for row in con.execute(_KEYS).fetchall()}
        fingerprint, decisions = read_decisions(sheet, keys=known)
        if con.execute(_PLAN, [fingerprint]).fetchone() is None:
            raise DataError(f"{sheet.name} was exported from a plan that is not in this ledger")
        _check(con, [(f"row {said.row}: ", said.correction_key, said.answer) for said in decisions])
    for decision in decisions:
        end = datetime.combine(decision.until, time(23, 59), tzinfo=UTC) if decision.until else None
        drop(
            settings.inbox,
            Answer(
                correction_key=decision.correction_key, answer=decision.answer, author=author,  # type: ignore[arg-type]
                reason=decision.comment or f"decided in {sheet.name}", at=at, until=end,
            ),
            own,
        )
    return len(decisions)


def _check(con: duckdb.DuckDBPyConnection, said: Sequence[tuple[str, str, str]]) -> None:
    """DataError telling every answer that no night could obey; nothing has been dropped by then."""
    faults = []
    for where, key, kind in said:
        try:
            check_answer(con, key, kind)
        except DataError as error:
            faults.append(f"{where}{error.message}")
    if faults:
        raise DataError("\n".join(faults))


def resolve(settings: Settings, keys: Sequence[str]) -> list[str]:
    """Whole correction keys from their beginnings."""
    with copy_of(settings) as con:
        return [_one(con, key) for key in keys]


def copy_of(settings: Settings, *, has_macros: bool = False) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The snapshot, opened; ConfigurationError where no night has left one. Macros, where a question needs them."""
    if not settings.snapshot.exists():
        raise ConfigurationError("there is nothing to ask yet: run `trueup sync` first")
    return open_copy(settings.snapshot, contact_key=settings.contact_key if has_macros else None)


def estate_time(settings: Settings, con: duckdb.DuckDBPyConnection) -> datetime:
    """Now, by the estate's clock: a sandbox lives at its own time, which goes on since its last night."""
    machine = SystemClock().now()
    # One key of the file: to check all of it is the night's work, and takes longer than an answer.
    if read_file(settings.estate).content.get("estate", {}).get("clock", "machine") == "machine":
        return machine
    row = con.execute("SELECT max(coalesce(finished_at, as_of)) FROM ledger.sync.nights").fetchone()
    if row is None or row[0] is None:
        return machine
    written = datetime.fromtimestamp(settings.snapshot.stat().st_mtime, UTC)
    return row[0] + (machine - written)


def _one(con: duckdb.DuckDBPyConnection, key: str) -> str:
    if len(key) < SHORTEST:
        raise DataError(f"{key!r} is too short: give at least {SHORTEST} characters of the key")
    rows = con.execute(_FIND, [key.lower()]).fetchall()
    if not rows:
        raise DataError("no plan holds this correction", key=key)
    if len(rows) > 1:
        raise DataError("several corrections begin like this; give more of the key", key=key)
    return str(rows[0][0])
