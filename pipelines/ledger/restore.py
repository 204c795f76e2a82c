"""The ledger's way back: a new `ledger.duckdb` out of the Parquet files that `export_ledger` wrote (R18).

Made with the migrations that the back-up had, filled table by table in the order in which rows were kept (rowids
tell what came first); the newer migrations are the caller's. Writes one new file; which ledger is replaced by it is
decided elsewhere.
"""

from pathlib import Path

import duckdb

from pipelines.errors import ConfigurationError
from pipelines.ledger import migrate, migrations
from pipelines.ledger.export import LEDGER, quoted, tables_of, text

_MIGRATIONS = ("main", "migrations")


def restore_ledger(con: duckdb.DuckDBPyConnection, export: Path) -> int:
    """Fill the empty attached `ledger` from a back-up; returns how many rows. The macros are loaded.

    ConfigurationError where there is no back-up, or it is not whole, or of another version of trueup.
    """
    version = _version(con, export)
    migrate(con, until=version)
    row_count = 0
    tables = tables_of(con, "ledger", LEDGER)
    files = {(path.parent.name, path.stem) for path in export.glob("*/*.parquet")}
    if missing := sorted({*tables} ^ files):
        names = ", ".join(".".join(pair) for pair in missing)
        raise ConfigurationError(f"the back-up in {export} is not whole: {names} is in one of back-up and ledger alone")
    for schema, table in tables:
        if (schema, table) == _MIGRATIONS:
            continue
        source = f"read_parquet({text(export / schema / f'{table}.parquet')})"
        con.execute(f"DELETE FROM {quoted('ledger', schema, table)}")
        con.execute(f"INSERT INTO {quoted('ledger', schema, table)} BY NAME FROM {source}")
        row = con.execute(f"SELECT count(*) FROM {quoted('ledger', schema, table)}").fetchone()
        row_count += int(row[0]) if row else 0
    con.execute("CHECKPOINT ledger")
    return row_count


def _version(con: duckdb.DuckDBPyConnection, export: Path) -> int:
    """The last migration that the back-up had; ConfigurationError where one of them is not ours."""
    path = export / "main" / "migrations.parquet"
    if not path.exists():
        raise ConfigurationError(f"there is no back-up in {export}; `trueup adopt` goes on without one")
    rows = con.execute(
        f"SELECT m.version, m.name, m.digest FROM read_parquet({text(path)}) AS m ORDER BY m.version"
    ).fetchall()
    known = {number: file.name for number, file in migrations()}
    for number, name, _ in rows:
        if known.get(int(number)) != name:
            raise ConfigurationError(f"the back-up in {export} has migration {name}, which this version does not know")
    return max(int(number) for number, _, _ in rows)
