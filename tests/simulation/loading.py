"""Judged reads into the raw tables by DuckDB alone, under `pipelines.extract_load`'s interface: stands in for dlt."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from pipelines.extract_load import LoadFile
from pipelines.extract_log import raw_schema

_COLUMNS = "id, updated_at, payload, read_at"


def load_by_arrow(
    con: duckdb.DuckDBPyConnection, system: str, files: Sequence[LoadFile], *, folder: Path
) -> None:
    """A census replaces its table, a delta is merged on the id; all of a system or nothing."""
    con.execute("BEGIN")
    try:
        for file in files:
            table = f"{raw_schema(system)}.{file.endpoint}"
            if file.is_census:
                con.execute(f"DELETE FROM {table}")
            else:
                con.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM read_parquet(?))", [str(file.path)])
            con.execute(
                f"INSERT INTO {table} ({_COLUMNS}) SELECT {_COLUMNS} FROM read_parquet(?)", [str(file.path)]
            )
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
