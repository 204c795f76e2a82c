"""What Dagster is told about a table that was just filled: rows, columns, and where its columns come from.

Counts and names only, never a row's value. Not here: which tables there are (`catalogue`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import duckdb

from assets.catalogue import asset_key, steps
from assets.kept import Table
from assets.origins import Origins
from pipelines.figures import columns_by_table, row_count


def materialised(
    con: duckdb.DuckDBPyConnection, step: str, more: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[dg.MaterializeResult[None]]:
    """One result per table of a step; `more` adds metadata by table name."""
    columns = columns_by_table(con)
    origins = Origins(con, columns)
    for table in steps()[step].tables:
        yield dg.MaterializeResult(
            asset_key=asset_key(table.name),
            metadata={**_facts(con, table, columns, origins), **(more or {}).get(table.name, {})},
        )


def _facts(
    con: duckdb.DuckDBPyConnection, table: Table, columns: Mapping[str, Mapping[str, str]], origins: Origins
) -> dict[str, Any]:
    known = columns.get(table.name)
    if known is None:
        return {}
    facts: dict[str, Any] = {
        "dagster/row_count": row_count(con, table.name),
        "dagster/column_schema": dg.TableSchema([dg.TableColumn(name, kind) for name, kind in known.items()]),
    }
    lineage = {
        column: [dg.TableColumnDep(asset_key(source), name) for source, name in sources]
        for column, sources in origins.of(table.name).items()
    }
    return facts | ({"dagster/column_lineage": dg.TableColumnLineage(lineage)} if lineage else {})
