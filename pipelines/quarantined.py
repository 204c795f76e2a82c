"""Whom the quarantine holds, over all systems: key, field, class of value and reason; never a value.

Each system has a table of its own, and reconcile one for what it found; here they are one. Reads the snapshot, where
they are `ledger.quarantine.*`; writes nothing that lasts.
"""

from dataclasses import dataclass

import duckdb

_TABLES = (
    "SELECT table_name FROM duckdb_tables() WHERE database_name = 'ledger' AND schema_name = 'quarantine' "
    "ORDER BY table_name"
)
_COLUMNS = "entity, vendor_id, vendor_sub_id, field, reason, value_class"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One reason to keep one record out."""

    system: str
    entity: str
    vendor_id: str
    vendor_sub_id: str
    field: str
    reason: str
    value_class: str


def create_quarantined(con: duckdb.DuckDBPyConnection) -> None:
    """The table `quarantined`, of this connection alone."""
    columns = ", ".join(f"{name} VARCHAR" for name in ("system", *_COLUMNS.split(", ")))
    con.execute(f"CREATE OR REPLACE TEMP TABLE quarantined ({columns})")
    for (table,) in con.execute(_TABLES).fetchall():
        system = "system" if table == "reconcile" else "?"
        con.execute(
            f'INSERT INTO quarantined SELECT {system}, {_COLUMNS} FROM ledger.quarantine."{table}"',
            [] if table == "reconcile" else [table],
        )


def quarantined(con: duckdb.DuckDBPyConnection) -> list[Quarantined]:
    """All of it, in the order of system, entity and key."""
    create_quarantined(con)
    rows = con.execute(f"SELECT DISTINCT system, {_COLUMNS} FROM quarantined ORDER BY ALL").fetchall()
    return [Quarantined(*(value or "" for value in row)) for row in rows]
