"""The ledger's way out: Parquet files as its back-up, and a read snapshot that is swapped in whole.

`why`, `status` and the report read only the snapshot, so they work while a night runs. It holds all ledger tables and
those of tonight's work that explain values (`SNAPSHOT`), under the same schema names: attached as `ledger`, a query
finds `ledger.sync.plans` and `ledger.golden.prices` alike. Reads everything, changes nothing but its own files.
"""

import os
import shutil
from pathlib import Path

import duckdb
from sqlglot import exp

SNAPSHOT = ("estate", "policy", "reads", "observed", "golden", "reconcile", "quarantine", "plan")
"""Schemas of the working database that are copied beside the ledger's own."""
LEDGER = ("agreed", "identity", "sync", "history", "main")
"""Schemas of the ledger."""
_SCRATCH = {"plan": {"corrections"}}
"""Where a schema is mostly scratch, the tables of it that are copied."""


def export_ledger(con: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """Write each ledger table as `<folder>/<schema>/<table>.parquet`; the old copy stands till the new one is whole."""
    draft, old = folder.with_name(f"{folder.name}.draft"), folder.with_name(f"{folder.name}.old")
    shutil.rmtree(draft, ignore_errors=True)
    for schema, table in tables_of(con, "ledger", LEDGER):
        (draft / schema).mkdir(parents=True, exist_ok=True, mode=0o700)
        target = draft / schema / f"{table}.parquet"
        con.execute(f"COPY {quoted('ledger', schema, table)} TO {text(target)} (FORMAT parquet)")
        target.chmod(0o600)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    draft.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder


def swap_snapshot(con: duckdb.DuckDBPyConnection, path: Path) -> Path:
    """Put a fresh read snapshot in place of the last one; a reader of the old file keeps the old file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.draft")
    for leftover in (draft, draft.with_name(f"{draft.name}.wal")):
        leftover.unlink(missing_ok=True)
    con.execute(f"ATTACH {text(draft)} AS fresh_snapshot")
    try:
        row = con.execute("SELECT current_database()").fetchone()
        for catalog, schemas in (("ledger", LEDGER), (str(row[0]) if row else "", SNAPSHOT)):
            for schema, table in tables_of(con, catalog, schemas):
                con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted('fresh_snapshot', schema)}")
                con.execute(
                    f"CREATE TABLE {quoted('fresh_snapshot', schema, table)} AS FROM {quoted(catalog, schema, table)}"
                )
        con.execute("CHECKPOINT fresh_snapshot")
    finally:
        con.execute("DETACH fresh_snapshot")
    draft.chmod(0o600)
    _sync(draft)
    return draft.replace(path)


def tables_of(con: duckdb.DuckDBPyConnection, catalog: str, schemas: tuple[str, ...]) -> list[tuple[str, str]]:
    """Schema and name of what is kept of these schemas, in order."""
    found = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? AND NOT temporary "
        "AND list_contains(?, schema_name) ORDER BY schema_name, table_name",
        [catalog, list(schemas)],
    ).fetchall()
    return [(s, t) for s, t in found if s not in _SCRATCH or t in _SCRATCH[s]]


def quoted(*parts: str) -> str:
    """A name as SQL writes it."""
    return ".".join(str(exp.to_identifier(part, quoted=True).sql(dialect="duckdb")) for part in parts)


def text(path: Path) -> str:
    """A path as SQL writes it."""
    return str(exp.Literal.string(str(path)).sql(dialect="duckdb"))


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
