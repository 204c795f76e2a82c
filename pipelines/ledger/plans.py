"""Stored plans as all who act on them read them: the head, its fingerprint, rows as corrections, and outcomes appended.

Shared by approve, push and verify, which never import each other. Reads and appends to `ledger.sync.*`; decides
nothing.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from pipelines.clock import Clock
from pipelines.errors import ConfigurationError, NotDurable, StalePlan
from pipelines.ledger.audit import append
from pipelines.model import Correction, Outcome

_UNWRITTEN = re.compile(
    r'(?:Could not (?:write(?: to)?|fsync|truncate)|Cannot open) file "(?P<file>[^"]+)"[^:"]*: (?P<reason>[^."\n]+)'
)
_DIGESTS = (Path(__file__).parent / "digests.sql").read_text(encoding="utf-8")
_FINGERPRINT = (
    "SELECT sha256(coalesce(string_agg(x.digest, '' ORDER BY x.digest), '')) AS fingerprint "
    "FROM (" + _DIGESTS + ") AS x"
)
_SEAL = "CAST('0x' || left(x.digest, 16) AS UBIGINT)"
_SET_SEALS = (
    "UPDATE ledger.sync.corrections AS t SET seal = " + _SEAL + " FROM (" + _DIGESTS + ") AS x "
    "WHERE t.plan_id = $plan_id AND t.correction_key = x.correction_key"
)
_CHANGED = (
    "SELECT x.correction_key FROM (" + _DIGESTS + ") AS x "
    "WHERE x.seal IS DISTINCT FROM " + _SEAL + " ORDER BY ALL LIMIT 3"
)
_FIELDS = (
    "correction_key", "plan_id", "system", "entity", "field", "vendor_id", "vendor_sub_id", "subject_id",
    "subject_sub_id", "observed", "desired", "base", "currency", "version", "drift_class", "rule", "reason", "risk",
    "context",
)
CORRECTION = ", ".join(f"c.{name}" for name in _FIELDS)
"""The columns of `correction_of`, in its order."""

OUTCOME = ("correction_key", "status", "code", "message", "request_id", "version_after")
"""The fields of an Outcome, in the order of the ledger's columns."""


_OUTCOMES = (
    "SELECT unnest($plan_ids::VARCHAR[]) AS plan_id, "
    + ", ".join(f"unnest(${name}::VARCHAR[]) AS {name}" for name in OUTCOME)
    + ', $now AS "at", unnest($batch_ids::VARCHAR[]) AS batch_id'
)


@dataclass(frozen=True, slots=True)
class PlanHead:
    """One stored plan."""

    plan_id: str
    night_id: str
    lane: str
    expires_at: datetime
    fingerprint: str


def fingerprint(con: duckdb.DuckDBPyConnection, plan_id: str) -> str:
    """SHA-256 over the plan's rows as the ledger holds them now; the order of rows does not matter."""
    row = con.execute(_FINGERPRINT, {"plan_id": plan_id}).fetchone()
    return str(row[0]) if row else ""


def seal_rows(con: duckdb.DuckDBPyConnection, plan_id: str) -> None:
    """Keep with each row of a plan what names it where it is changed."""
    con.execute(_SET_SEALS, {"plan_id": plan_id})


def read_plan(con: duckdb.DuckDBPyConnection, plan_id: str) -> PlanHead:
    """The stored plan; StalePlan where its rows are no longer those that were fingerprinted."""
    row = con.execute(
        "SELECT plan_id, night_id, lane, expires_at, fingerprint FROM ledger.sync.plans WHERE plan_id = ?", [plan_id]
    ).fetchone()
    if row is None:
        raise ConfigurationError(f"there is no plan {plan_id}")
    head = PlanHead(*row)
    if fingerprint(con, plan_id) != head.fingerprint:
        changed = [str(key) for (key,) in con.execute(_CHANGED, {"plan_id": plan_id}).fetchall()]
        which = f" (changed: {', '.join(changed)})" if changed else " (a row is gone, or there is one more)"
        words = f"the plan's rows are not those that were fingerprinted{which}; nothing of it is applied"
        raise StalePlan(words, key=plan_id)
    return head


def changed_plans(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Plans whose rows are not those that were fingerprinted, in words."""
    found = []
    for (plan_id,) in con.execute("SELECT plan_id FROM ledger.sync.plans ORDER BY created_at, plan_id").fetchall():
        try:
            read_plan(con, plan_id)
        except StalePlan as error:
            found.append(str(error))
    return found


def correction_of(row: Sequence[Any]) -> Correction:
    """A Correction from the columns `CORRECTION`."""
    values = dict(zip(_FIELDS, row, strict=True))
    context = msgspec.json.decode(values["context"], type=dict[str, Any]) if values["context"] else {}
    return Correction(**values | {"context": context})


def record_settled(
    con: duckdb.DuckDBPyConnection, settled: Sequence[tuple[Correction, Outcome]], *, clock: Clock
) -> None:
    """Append outcomes found by reading back and close the intents of their corrections."""
    if not settled:
        return
    plans = [c.plan_id for c, _ in settled]
    with transaction(con):
        append_outcomes(con, plans, [outcome for _, outcome in settled], [None] * len(settled), clock=clock)
        con.execute(
            "UPDATE ledger.sync.intents SET state = 'settled' WHERE state = 'sent' AND (plan_id, correction_key) IN "
            "(SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]))",
            [plans, [outcome.correction_key for _, outcome in settled]],
        )


def append_outcomes(
    con: duckdb.DuckDBPyConnection, plans: Sequence[str], outcomes: Sequence[Outcome], batches: Sequence[str | None], *,
    clock: Clock,
) -> None:
    """Append outcomes to the audit, each of its plan and batch; within the caller's transaction."""
    columns = {name: [getattr(outcome, name) for outcome in outcomes] for name in OUTCOME}
    append(con, "outcomes", _OUTCOMES, {
        "plan_ids": list(plans), "batch_ids": list(batches), "now": clock.now(), **columns,
    })


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing. Never awaits inside, so that two batches cannot share one.

    NotDurable, naming the file, where that could not be written: on return it is on disk, or nothing of it (R19).
    """
    con.execute("BEGIN")
    try:
        yield
        con.execute("COMMIT")
    except BaseException as error:
        with suppress(duckdb.Error):  # a commit that failed has ended its transaction; the first error tells
            con.execute("ROLLBACK")
        if isinstance(error, duckdb.Error) and (words := unwritten(str(error))):
            raise NotDurable(f"{words}; nothing more is done that is not on record: mend it and run again") from error
        raise


def unwritten(words: str) -> str:
    """Which file DuckDB could not write, and why, in its own words; '' where it says something else."""
    found = _UNWRITTEN.search(words)
    return f"{found['file']} cannot be written: {found['reason'].strip()}" if found else ""
