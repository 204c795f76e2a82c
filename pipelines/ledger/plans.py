"""Stored plans as all who act on them read them: the head, its fingerprint, rows as corrections, and outcomes appended.

Shared by approve, push and verify, which never import each other. Reads and appends to `ledger.sync.*`; decides
nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from pipelines.clock import Clock
from pipelines.errors import ConfigurationError, StalePlan
from pipelines.model import Correction, Outcome

_FINGERPRINT = (Path(__file__).parent / "fingerprint.sql").read_text(encoding="utf-8")
_FIELDS = (
    "correction_key", "plan_id", "system", "entity", "field", "vendor_id", "vendor_sub_id", "subject_id",
    "subject_sub_id", "observed", "desired", "base", "currency", "version", "drift_class", "rule", "reason", "risk",
    "context",
)
CORRECTION = ", ".join(f"c.{name}" for name in _FIELDS)
"""The columns of `correction_of`, in its order."""

OUTCOME = ("correction_key", "status", "code", "message", "request_id", "version_after")
"""The fields of an Outcome, in the order of the ledger's columns."""


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


def read_plan(con: duckdb.DuckDBPyConnection, plan_id: str) -> PlanHead:
    """The stored plan; StalePlan where its rows are no longer those that were fingerprinted."""
    row = con.execute(
        "SELECT plan_id, night_id, lane, expires_at, fingerprint FROM ledger.sync.plans WHERE plan_id = ?", [plan_id]
    ).fetchone()
    if row is None:
        raise ConfigurationError(f"there is no plan {plan_id}")
    head = PlanHead(*row)
    if fingerprint(con, plan_id) != head.fingerprint:
        raise StalePlan("the plan's rows are not those that were fingerprinted; nothing of it is applied", key=plan_id)
    return head


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
    columns = [[getattr(outcome, name) for _, outcome in settled] for name in OUTCOME]
    with transaction(con):
        con.execute(
            "INSERT INTO ledger.sync.outcomes SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
            "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?, NULL",
            [plans, *columns, clock.now()],
        )
        con.execute(
            "UPDATE ledger.sync.intents SET state = 'settled' WHERE state = 'sent' AND (plan_id, correction_key) IN "
            "(SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]))",
            [plans, columns[0]],
        )


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing. Never awaits inside, so that two batches cannot share one."""
    con.execute("BEGIN")
    try:
        yield
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
