"""What the report says, as plain data: one set-based query per table of the page, no HTML and no masking here."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from pipelines.errors import ConfigurationError

_QUERIES = Path(__file__).parent / "queries"
_TABLES = (
    "reads", "drift", "trend", "backlog", "flow", "remaining", "unwanted", "prior_prices", "assortment", "worklist",
)
ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class NightFacts:
    """One night: head line facts and the tables, each a list of dicts keyed by column."""

    night_id: str
    estate: str
    kind: str
    as_of: datetime
    status: str
    finished_at: datetime | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    """what the run itself wrote down: `calls` by system, `unread` entities, `scope` where it was narrowed"""
    reads: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    """system, entity, drift_class, row_count"""
    trend: list[dict[str, Any]] = field(default_factory=list)
    """night_id, as_of, entity, drift_class, row_count (new corrections); a night without any has one row of blanks"""
    backlog: list[dict[str, Any]] = field(default_factory=list)
    """night_id, as_of, waiting, confirmed"""
    flow: list[dict[str, Any]] = field(default_factory=list)
    """system, entity, planned, and where the planned values stand now; see flow.sql"""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """at most ROWS_SHOWN corrections per disposition and entity, the highest risk and the biggest change first"""
    remaining: list[dict[str, Any]] = field(default_factory=list)
    """system, entity, cause, row_count"""
    unwanted: list[dict[str, Any]] = field(default_factory=list)
    """system, entity, field, request, asked_at, row_count: what waits to be carried out, and is not planned any more"""
    prior_prices: list[dict[str, Any]] = field(default_factory=list)
    """"was" prices shown above the lowest of the days before; without an item: how many cannot be judged yet"""
    assortment: list[dict[str, Any]] = field(default_factory=list)
    """system, listed, unpublished, deleted, missing, unknown: items that it is expected to carry, by their state"""
    worklist: list[dict[str, Any]] = field(default_factory=list)
    """kind, system, name, state, action, reason, alike_count: the first rows of each kind and system"""
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    """system, entity, field, reason, row_count"""

    def total(self, column: str) -> int:
        """Sum of one column of `flow`."""
        return sum(int(row[column] or 0) for row in self.flow)


def night_facts(con: duckdb.DuckDBPyConnection, night_id: str) -> NightFacts:
    """All facts of one night; ConfigurationError where the ledger has no such night."""
    head = _rows(con, "night", night_id)
    if not head:
        raise ConfigurationError(f"the ledger has no night {night_id!r}; `trueup status` lists the nights")
    night = head[0]
    return NightFacts(
        night_id=night["night_id"], estate=night["estate"], kind=night["kind"], as_of=night["as_of"],
        status=night["status"] or "running", finished_at=night["finished_at"],
        summary=msgspec.json.decode(night["summary"]) if night["summary"] else {},
        **{name: _rows(con, name, night_id) for name in _TABLES},
        rows=plan_rows(con, night_id, most=ROWS_SHOWN),
        quarantine=_quarantine(con),
    )


def plan_rows(con: duckdb.DuckDBPyConnection, night_id: str, *, most: int) -> list[dict[str, Any]]:
    """The night's corrections, at most so many per disposition and entity, with what became of each."""
    return _rows(con, "rows", night_id, most=most)


def _rows(con: duckdb.DuckDBPyConnection, name: str, night_id: str, **more: int) -> list[dict[str, Any]]:
    text = (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    result = con.execute(text, {"night_id": night_id, **more})
    columns = [column[0] for column in result.description]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _quarantine(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    tables = con.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'quarantine' "
        "AND table_catalog = current_database() ORDER BY table_name"
    ).fetchall()
    found: list[dict[str, Any]] = []
    for (table,) in tables:
        system = "system" if table == "reconcile" else "?"
        sql = (
            f"SELECT {system} AS system, entity, field, reason, count(*) AS row_count FROM quarantine.{table} "
            "GROUP BY ALL ORDER BY row_count DESC, entity, field, reason"
        )
        result = con.execute(sql, [] if table == "reconcile" else [table])
        columns = [column[0] for column in result.description]
        found += [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    return found
