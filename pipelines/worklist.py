"""What is left to people: items to enter, publish or withdraw, keys to mend, points to look at; as rows and as a file.

Reads `reconcile.worklist` of the last night; writes one file with mode 600 and nothing else: no sync does what stands
here. Text that a sheet would run as a formula is kept as text (see `spreadsheet.safe_cell`).
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from pipelines.errors import ConfigurationError
from pipelines.spreadsheet import safe_cell

COLUMNS = ("kind", "system", "vendor_id", "subject_id", "name", "state", "action", "entered", "reason")
SUFFIXES = (".csv", ".jsonl")
_ROWS = (
    f"SELECT {', '.join(COLUMNS)} FROM ledger.reconcile.worklist "
    "ORDER BY kind, system, action, name, vendor_id, subject_id"
)
_IS_THERE = (
    "SELECT 1 FROM duckdb_tables() WHERE database_name = 'ledger' AND schema_name = 'reconcile' "
    "AND table_name = 'worklist'"
)


def worklist(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """All of it, from a snapshot attached as `ledger`; `entered` as the object that it is."""
    if con.execute(_IS_THERE).fetchone() is None:
        raise ConfigurationError("the last night was of a version that made no work list; run `trueup sync`")
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in con.execute(_ROWS).fetchall()]
    return [row | {"entered": msgspec.json.decode(row["entered"]) if row["entered"] else None} for row in rows]


def check_target(target: Path) -> None:
    """ConfigurationError where the file's name says no form that can be written."""
    if target.suffix not in SUFFIXES:
        raise ConfigurationError(f"--export {target.name}: a work list is written as {' or '.join(SUFFIXES)}")


def write_worklist(rows: Iterable[Mapping[str, Any]], target: Path) -> Path:
    """Write rows to `target`, as its name says: .csv for a sheet, .jsonl for a program."""
    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("w", encoding="utf-8", newline="") as file:
        if target.suffix == ".jsonl":
            file.writelines(msgspec.json.encode(row).decode() + "\n" for row in rows)
        else:
            sheet = csv.writer(file)
            sheet.writerow(COLUMNS)
            sheet.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    target.chmod(0o600)
    return target


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return safe_cell(value) if isinstance(value, str) else msgspec.json.encode(value).decode()
