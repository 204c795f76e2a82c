"""Figures about tables, for whoever shows them: row counts, columns, drift by class, rows by disposition.

Counts and names only, never a row's value. Reads any table, writes none.
"""

import duckdb


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
    """Drifted values in all, by class, by system, and by system and class."""
    found = {"drift": 0}
    for system, drift_class, count in con.execute(
        f"SELECT system, drift_class, count(*) FROM {table} GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        for name in ("drift", f"drift/{drift_class}", f"drift/{system}", f"drift/{system}/{drift_class}"):
            found[name] = found.get(name, 0) + int(count)
    return found


def plan_counts(con: duckdb.DuckDBPyConnection, lane: str) -> dict[str, int]:
    """Rows of tonight's plan of a lane: all, new ones, and by disposition."""
    found = {"rows": 0, "new": 0}
    for disposition, count, new in con.execute(
        "SELECT disposition, count(*), count(*) FILTER (WHERE is_new) FROM plan.corrections WHERE lane = ? "
        "GROUP BY ALL ORDER BY ALL",
        [lane],
    ).fetchall():
        found[disposition] = int(count)
        found["rows"] += int(count)
        found["new"] += int(new)
    return found


def verification_counts(con: duckdb.DuckDBPyConnection, plan_id: str) -> dict[str, int]:
    """Rows of a plan by the last thing that reading them back showed."""
    return {
        str(status): int(count)
        for status, count in con.execute(
            "SELECT status, count(*) FROM (SELECT arg_max(v.status, v.at) AS status "
            "FROM ledger.sync.verifications AS v WHERE v.plan_id = ? GROUP BY v.correction_key) "
            "GROUP BY status ORDER BY status",
            [plan_id],
        ).fetchall()
    }


def unread(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """(system, entity, reason) of all that cannot be believed tonight."""
    return [
        (str(system), str(entity), str(reason))
        for system, entity, reason in con.execute(
            "SELECT system, entity, reason FROM reads.verdicts WHERE NOT is_complete ORDER BY ALL"
        ).fetchall()
    ]
