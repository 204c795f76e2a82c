"""How DuckDB is opened, everywhere: without the part of its optimizer that answers wrongly."""

from typing import Any

import duckdb

LEFT_OUT = "row_group_pruner"
"""With it `ORDER BY … LIMIT` goes by the bounds of what was once in a row group, and counts rows that are deleted: the
youngest row of a table that has been written over is not found (DuckDB 2.0.0; its pull requests 22911 and 22949)."""


def connect(database: str = ":memory:", **config: Any) -> duckdb.DuckDBPyConnection:
    """A connection to a file, or to a database in memory; `config` are settings of DuckDB."""
    return duckdb.connect(database, config={"disabled_optimizers": LEFT_OUT, **config})  # noqa: TID251
