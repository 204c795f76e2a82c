"""Figures about tables, for whoever shows them: row counts, columns, drift by class, rows by disposition.

Counts and names only, never a row's value. Reads any table, writes none.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import duckdb

from pipelines.model import Disposition, DriftClass, VerificationStatus

CONSENT_DRIFT = "reconcile.consent_drift"
_OF_CONSENTS = (DriftClass.LOWER, DriftClass.RAISE_WITH_PROOF, DriftClass.RAISE_WITHOUT_PROOF)
CLASSES = {
    "suppression": tuple(name.value for name in _OF_CONSENTS),
    "main": tuple(name.value for name in DriftClass if name not in _OF_CONSENTS),
}
"""The classes that drift of a lane can have."""


def row_count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Rows of a table."""
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def columns_by_table(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Types by column by table ("schema.table", the ledger's as "ledger.schema.table")."""
    found: dict[str, dict[str, str]] = {}
    for database, schema, table, column, kind in con.execute(
        "SELECT database_name, schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal ORDER BY table_oid, column_index"
    ).fetchall():
        prefix = "ledger." if database == "ledger" else ""
        found.setdefault(f"{prefix}{schema}.{table}", {})[column] = kind
    return found


def drift_counts(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """Drifted values in all, by class, by system, and by system and class; 0 for what could be and is not.

    Every system of the policy and every class of the lane is there each night, so that a plot has no holes.
    """
    lane = "suppression" if table == CONSENT_DRIFT else "main"
    classes, systems = CLASSES[lane], lane_systems(con, lane)
    names = ["drift", *classes, *systems, *(f"{system}/{name}" for system in systems for name in classes)]
    found = {name if name == "drift" else f"drift/{name}": 0 for name in names}
    for system, drift_class, count in con.execute(
        f"SELECT system, drift_class, count(*) FROM {table} GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        for name in ("drift", f"drift/{drift_class}", f"drift/{system}", f"drift/{system}/{drift_class}"):
            found[name] = found.get(name, 0) + int(count)
    return found


def lane_systems(con: duckdb.DuckDBPyConnection, lane: str) -> list[str]:
    """The systems whose values are compared in a lane, by the policy."""
    return [
        str(row[0])
        for row in con.execute(
            "SELECT DISTINCT system FROM policy.targets WHERE (entity = 'consents') = ? ORDER BY system",
            [lane == "suppression"],
        ).fetchall()
    ]


def plan_counts(con: duckdb.DuckDBPyConnection, lane: str) -> dict[str, int]:
    """Rows of tonight's plan of a lane: all, new ones, and by disposition; 0 for a disposition that no row has."""
    found = {"rows": 0, "new": 0, **{disposition.value: 0 for disposition in Disposition}}
    for disposition, count, new in con.execute(
        "SELECT disposition, count(*), count(*) FILTER (WHERE is_new) FROM plan.corrections WHERE lane = ? "
        "GROUP BY ALL ORDER BY ALL",
        [lane],
    ).fetchall():
        found[disposition] = int(count)
        found["rows"] += int(count)
        found["new"] += int(new)
    return found


def approval_counts(con: duckdb.DuckDBPyConnection, plan_id: str) -> dict[str, int]:
    """Rows of a stored plan: all, approved by now, and held for a person who may release them."""
    row = con.execute(
        "SELECT count(*), count(*) FILTER (WHERE is_approved), "
        "count(*) FILTER (WHERE is_releasable AND disposition = 'hold' AND NOT is_approved) FROM ("
        "SELECT c.disposition, c.is_releasable, EXISTS (SELECT 1 FROM ledger.sync.approvals AS a "
        "WHERE a.plan_id = c.plan_id AND a.correction_key = c.correction_key) AS is_approved "
        "FROM ledger.sync.corrections AS c WHERE c.plan_id = ?)",
        [plan_id],
    ).fetchone()
    return dict(zip(("rows", "approved", "waiting"), map(int, row or (0, 0, 0)), strict=True))


def verification_counts(con: duckdb.DuckDBPyConnection, plan_id: str) -> dict[str, int]:
    """Rows of a plan by the last thing that reading them back showed; 0 for what it showed of none."""
    return {status.value: 0 for status in VerificationStatus} | {
        str(status): int(count)
        for status, count in con.execute(
            "SELECT status, count(*) FROM (SELECT arg_max(v.status, v.at) AS status "
            "FROM ledger.sync.verifications AS v WHERE v.plan_id = ? GROUP BY v.correction_key) "
            "GROUP BY status ORDER BY status",
            [plan_id],
        ).fetchall()
    }


def by_status(
    systems: Iterable[str], statuses: type[StrEnum], told: Mapping[str, Mapping[str, int]]
) -> dict[str, int]:
    """Counts by `system/status`, as they were told; 0 for all that was not."""
    found = {f"{system}/{status}": 0 for system in systems for status in statuses}
    return found | {f"{system}/{status}": n for system, counts in told.items() for status, n in counts.items()}


def parked(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """By system, tonight's rows that were tried as often as they may be and wait for a person (R13)."""
    rows = con.execute(
        "SELECT d.system, count(*) FROM plan.decided AS d JOIN plan.spent AS s ON s.correction_key = d.correction_key "
        "WHERE d.disposition = 'hold' GROUP BY d.system ORDER BY d.system"
    ).fetchall()
    return {str(system): int(count) for system, count in rows}


def unread(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """(system, entity, reason) of all that cannot be believed tonight."""
    return [
        (str(system), str(entity), str(reason))
        for system, entity, reason in con.execute(
            "SELECT system, entity, reason FROM reads.verdicts WHERE NOT is_complete ORDER BY ALL"
        ).fetchall()
    ]
