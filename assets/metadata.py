"""What Dagster is told about a table that was just filled: rows, columns, and where its columns come from.

Counts and names only, never a row's value. Not here: which tables there are (`catalogue`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import duckdb

from assets.catalogue import Table, asset_key, model_of, real_tables, steps
from pipelines.figures import columns_by_table, row_count
from pipelines.lineage import kept_lineage


def materialised(
    con: duckdb.DuckDBPyConnection, step: str, more: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[dg.MaterializeResult[None]]:
    """One result per table of a step; `more` adds metadata by table name."""
    columns = columns_by_table(con)
    for table in steps()[step].tables:
        yield dg.MaterializeResult(
            asset_key=asset_key(table.name),
            metadata={**_facts(con, table, columns), **(more or {}).get(table.name, {})},
        )


def _facts(
    con: duckdb.DuckDBPyConnection, table: Table, columns: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    known = columns.get(table.name)
    if known is None:
        return {}
    facts: dict[str, Any] = {
        "dagster/row_count": row_count(con, table.name),
        "dagster/column_schema": dg.TableSchema([dg.TableColumn(name, kind) for name, kind in known.items()]),
    }
    model = model_of(table.name)
    if model is None:
        return facts
    found = kept_lineage(con, model, {name: columns.get(name, {}) for name in sorted(model.inputs)})
    lineage = {
        column: [
            dg.TableColumnDep(asset_key(real), name) for source, name in sources for real in sorted(real_tables(source))
        ]
        for column, sources in found.items()
        if column in known
    }
    return {**facts, "dagster/column_lineage": dg.TableColumnLineage(lineage)}

