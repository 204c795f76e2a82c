"""What rolling a plan back would do, before anybody orders it: asked of a snapshot, by the night's own models.

Reads a ledger's snapshot, attached as `ledger`, and makes tables of its own beside it, in memory; writes nothing to the
ledger. The rows are judged by `reconcile.rollback_rows`, and those that would be written back go through the planner,
so that guards, modes and what is not read say here what they would say tonight. The caller masks.
"""

from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.ledger.rollbacks import Rollback, scoped
from pipelines.plan import decide
from pipelines.reconcile.drift import ROLLBACK
from pipelines.reconcile.models import reconcile_models
from pipelines.sql import build
from pipelines.tables import TABLES, create_tables

_SAID, _HELD, _ROWS, _DRIFT = ROLLBACK
_MADE_HERE = ("reconcile.rollback_", "reconcile.drift", "estate.night")
_THERE = """
SELECT schema_name || '.' || table_name, list(column_name) FROM duckdb_columns()
WHERE database_name = 'ledger' GROUP BY ALL
"""
_NIGHT = """
INSERT INTO estate.night BY NAME
SELECT n.night_id, n.estate, $at AS as_of, n.timezone, n.kind FROM ledger.estate.night AS n
"""
_ORDER = f"""
INSERT INTO {_SAID}
SELECT $rollback_id, $plan_id, k.key, $author, $reason, $at,
  (SELECT max(p.created_at) FROM ledger.sync.plans AS p), true
FROM unnest($keys) AS k(key)
"""
_PROVEN = f"""
UPDATE {_HELD} AS h SET value = p.value
FROM (
  SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, arg_max(c.desired, (v.at, v.rowid)) AS value
  FROM ledger.sync.corrections AS c
  JOIN ledger.sync.verifications AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
  JOIN ledger.estate.night AS n ON v.at >= n.as_of
  WHERE v.status = 'confirmed'
  GROUP BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id
) AS p
WHERE p.system = h.system AND p.entity = h.entity AND p.field = h.field AND p.vendor_id = h.vendor_id
  AND p.vendor_sub_id = h.vendor_sub_id
"""
"""What the systems hold: as the last night read them, and what has been written and proven since."""
_FOUND = f"""
SELECT r.correction_key, r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, r.currency, r.before, r.after,
  r.observed, r.written_at, coalesce(nullif(d.disposition, 'approve'), r.state) AS state,
  CASE WHEN d.disposition <> 'approve' THEN d.disposition ELSE r.rule END AS rule,
  CASE WHEN d.disposition <> 'approve' THEN d.disposition_reason ELSE r.why END AS why
FROM {_ROWS} AS r
LEFT JOIN plan.decided AS d ON r.state = 'restore' AND d.rule = 'rollback' AND d.system = r.system
  AND d.entity = r.entity AND d.field = r.field AND d.vendor_id = r.vendor_id AND d.vendor_sub_id = r.vendor_sub_id
ORDER BY r.system, r.entity, r.vendor_id, r.vendor_sub_id, r.field
"""


@dataclass(frozen=True, slots=True)
class WouldRestore:
    """What a rollback gives back, what it leaves since somebody has changed it, and what it cannot undo."""

    restored: list[dict[str, Any]]
    """Values that still stand as we wrote them, and that the planner would write back."""
    left: list[dict[str, Any]]
    """Values that somebody has changed since."""
    kept: list[dict[str, Any]]
    """Values that a rule keeps as they are; `rule` and `why` say which."""
    already: int
    """Values where what stood there before stands again."""


def would_restore(con: duckdb.DuckDBPyConnection, word: Rollback) -> WouldRestore:
    """What would come of an order if the next night finds all as the last one left it.

    DataError where the plan wrote nothing that the order names.
    """
    keys = scoped(con, word)
    create_tables(con)
    _show_snapshot(con)
    con.execute(_NIGHT, {"at": word.at})
    said = {"rollback_id": word.word_id, "plan_id": word.plan_id, "author": word.author, "reason": word.reason}
    con.execute(_ORDER, {**said, "at": word.at, "keys": keys})
    models = reconcile_models()
    build(con, models[_HELD])
    con.execute(_PROVEN)
    build(con, models[_ROWS])
    build(con, models[_DRIFT])
    con.execute(f"INSERT INTO reconcile.drift BY NAME FROM {_DRIFT}")
    decide(con, "main")
    found = _rows(con, _FOUND)
    return WouldRestore(
        [row for row in found if row["state"] == "restore"],
        [row for row in found if row["state"] == "changed"],
        [row for row in found if row["state"] not in ("restore", "changed", "restored", "not_written")],
        sum(row["state"] == "restored" for row in found),
    )


def _show_snapshot(con: duckdb.DuckDBPyConnection) -> None:
    """Let the models find the snapshot's tables under the names of a night; one of an older version is empty."""
    there = {str(name): set(columns) for name, columns in con.execute(_THERE).fetchall()}
    for name, columns in sorted(TABLES.items()):
        if not name.startswith(_MADE_HERE) and columns.keys() <= there.get(name, set()):
            con.execute(f"DROP TABLE {name}")
            con.execute(f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM ledger.{name}")


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = con.execute(query)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
