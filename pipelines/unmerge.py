"""What parting two persons would undo, before anybody says so: asked of a snapshot, by the night's own model.

Reads a ledger's snapshot, attached as `ledger`, and makes small tables of its own beside it, in memory; writes nothing
to the ledger. What is planned in the end is decided by the night (`reconcile.person_undo`). The caller masks.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.ledger.partings import Parting
from pipelines.tables import TABLES

_WRITTEN = Path(__file__).parent / "reconcile" / "reconcile" / "person_written.sql"
_NOW = """
CREATE OR REPLACE TABLE observed.customers AS
WITH proven AS (
  SELECT c.system, c.vendor_id, c.field, arg_max({'value': c.desired}, v.at) AS held
  FROM ledger.sync.corrections AS c
  JOIN ledger.sync.verifications AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
  JOIN ledger.estate.night AS n ON v.at >= n.as_of
  WHERE c.entity = 'customers' AND v.status = 'confirmed'
  GROUP BY c.system, c.vendor_id, c.field
), wide AS (
  SELECT p.system, p.vendor_id, list(p.field) AS fields,
    max(p.held.value) FILTER (p.field = 'first_name') AS first_name,
    max(p.held.value) FILTER (p.field = 'last_name') AS last_name,
    max(p.held.value) FILTER (p.field = 'phone') AS phone,
    max(p.held.value) FILTER (p.field = 'street') AS street,
    max(p.held.value) FILTER (p.field = 'city') AS city,
    max(p.held.value) FILTER (p.field = 'postcode') AS postcode,
    max(p.held.value) FILTER (p.field = 'loyalty_points') AS loyalty_points
  FROM proven AS p
  GROUP BY p.system, p.vendor_id
)
SELECT o.system, o.vendor_id, o.person_id, o.country, o.version, o.write_context,
  CASE WHEN list_contains(w.fields, 'first_name') THEN w.first_name ELSE o.first_name END AS first_name,
  CASE WHEN list_contains(w.fields, 'last_name') THEN w.last_name ELSE o.last_name END AS last_name,
  CASE WHEN list_contains(w.fields, 'phone') THEN w.phone ELSE o.phone END AS phone,
  CASE WHEN list_contains(w.fields, 'street') THEN w.street ELSE o.street END AS street,
  CASE WHEN list_contains(w.fields, 'city') THEN w.city ELSE o.city END AS city,
  CASE WHEN list_contains(w.fields, 'postcode') THEN w.postcode ELSE o.postcode END AS postcode,
  CASE WHEN list_contains(w.fields, 'loyalty_points') THEN w.loyalty_points ELSE o.loyalty_points END AS loyalty_points
FROM ledger.observed.customers AS o
LEFT JOIN wide AS w ON w.system = o.system AND w.vendor_id = o.vendor_id
"""
"""What the systems hold: as the last night read them, and what has been written and proven since."""
_PARTED = """
CREATE OR REPLACE TABLE reconcile.person_parted AS
WITH pairs AS (
  SELECT t.r.system AS system, t.r.vendor_id AS vendor_id, k.r.system AS other_system, k.r.vendor_id AS other_id
  FROM (SELECT unnest($taken::STRUCT(system VARCHAR, vendor_id VARCHAR)[]) AS r) AS t
  CROSS JOIN (SELECT unnest($kept::STRUCT(system VARCHAR, vendor_id VARCHAR)[]) AS r) AS k
), ways AS (
  SELECT system, vendor_id, other_system, other_id FROM pairs
  UNION ALL SELECT other_system, other_id, system, vendor_id FROM pairs
)
SELECT p.system, p.vendor_id, p.other_system, p.other_id, $author AS author, $reason AS reason, $at AS said_at,
  greatest(b.bound_at, c.bound_at) AS together_since,
  (SELECT max(q.created_at) FROM ledger.sync.plans AS q) AS last_plan_at
FROM ways AS p
JOIN ledger.identity.persons AS b ON b.system = p.system AND b.vendor_id = p.vendor_id
JOIN ledger.identity.persons AS c ON c.system = p.other_system AND c.vendor_id = p.other_id
"""
_FOUND = """
SELECT w.system, w.vendor_id, w.field, w.observed, w.before, w.state FROM reconcile.person_written AS w
ORDER BY w.system, w.vendor_id, w.field
"""
_REACHED = """
SELECT DISTINCT c.system, c.vendor_id, c.subject_sub_id AS permission, c.authority AS told
FROM ledger.sync.corrections AS c
JOIN ledger.sync.outcomes AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key AND o.status = 'applied'
JOIN reconcile.person_parted AS p ON p.system = c.system AND p.vendor_id = c.vendor_id AND p.other_system = c.authority
JOIN ledger.observed.consents AS s ON s.system = c.system AND s.vendor_id = c.vendor_id
  AND s.vendor_audience_id = c.vendor_sub_id AND s.state = 'no'
WHERE c.entity = 'consents' AND c.rule = 'withdrawal of the same person' AND c.desired = 'no'
ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class WouldUndo:
    """What an unmerge gives back, what it leaves, and which permissions it does not give back."""

    restored: list[dict[str, Any]]
    """Values that still stand as we wrote them, with what stood there before; held for a person when planned."""
    left: list[dict[str, Any]]
    """Values that somebody has changed since."""
    permissions: list[dict[str, Any]]
    """A no that had reached the record from the other side: it stays until an opt-in is proven."""


def would_undo(con: duckdb.DuckDBPyConnection, word: Parting) -> WouldUndo:
    """What would come of a word if the next night finds all as the last one left it."""
    for schema in ("reconcile", "observed"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    con.execute(_NOW)
    sides = {
        name: [{"system": r.system, "vendor_id": r.vendor_id} for r in records]
        for name, records in (("taken", word.taken), ("kept", word.kept))
    }
    con.execute(_PARTED, {**sides, "author": word.author, "reason": word.reason, "at": word.at})
    names = ", ".join(TABLES["reconcile.person_written"])
    text = _WRITTEN.read_text(encoding="utf-8")
    con.execute(f"CREATE OR REPLACE TABLE reconcile.person_written AS SELECT {names} FROM ({text})")
    found = _rows(con, _FOUND)
    return WouldUndo(
        [_without_state(row) for row in found if row["state"] == "restore"],
        [_without_state(row) for row in found if row["state"] == "changed"],
        _rows(con, _REACHED),
    )


def _without_state(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "state"}


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = con.execute(query)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
