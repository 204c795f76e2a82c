"""A night's plan as a file of JSON lines: its corrections with what became of them, who was kept out, who is who.

For judges and other programs; people get the report or the spreadsheet. One object a line: corrections (no `kind`),
`{"kind": "quarantine", ...}` and `{"kind": "person", ...}`. Values of corrections are in clear: the file is private.
Reads the snapshot (or the warehouse), writes one file with mode 600.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from pipelines.report.facts import plan_rows

_ALL = 1_000_000_000
_PERSONS = "SELECT system, vendor_id, person_id FROM reconcile.person_matches ORDER BY system, vendor_id"


def write_plan_file(con: duckdb.DuckDBPyConnection, night_id: str, target: Path) -> Path:
    """Write all lines of a night; tables of the warehouse are those of the current database."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("wb") as file:
        for line in _lines(con, night_id):
            file.write(msgspec.json.encode(line) + b"\n")
    target.chmod(0o600)
    return target


def _lines(con: duckdb.DuckDBPyConnection, night_id: str) -> Iterator[dict[str, Any]]:
    yield from plan_rows(con, night_id, most=_ALL)
    for (table,) in con.execute(
        "SELECT DISTINCT table_name FROM duckdb_tables() WHERE schema_name = 'quarantine' "
        "AND database_name = current_database() ORDER BY table_name"
    ).fetchall():
        system = "system" if table == "reconcile" else "?"
        rows = con.execute(
            f"SELECT {system}, entity, vendor_id, field, reason FROM quarantine.{table} ORDER BY ALL",
            [] if table == "reconcile" else [table],
        ).fetchall()
        for row in rows:
            names = ("system", "entity", "vendor_id", "field", "reason")
            yield {"kind": "quarantine", **dict(zip(names, row, strict=True))}
    for system, vendor_id, person_id in con.execute(_PERSONS).fetchall():
        yield {"kind": "person", "system": system, "vendor_id": vendor_id, "person_id": str(person_id)}
