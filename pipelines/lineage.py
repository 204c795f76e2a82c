"""Which columns each column of a SQL model comes from, read from the SQL itself. Knows no Dagster and no data."""

from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from pipelines.sql import Model

Schema = Mapping[str, Mapping[str, str]]
"""Column types by table ("schema.table" or "ledger.schema.table")."""


def column_lineage(model: Model, schema: Schema) -> dict[str, list[tuple[str, str]]]:
    """The (table, column) pairs behind each output column. Columns made of nothing but constants are left out."""
    nested: dict[str, object] = {}
    for table, columns in schema.items():
        parts = table.split(".")
        node: dict[str, object] = nested
        for part in ["main", *parts][-3:]:  # sqlglot wants the same depth for all
            node = node.setdefault(part, {})  # type: ignore[assignment]
        node.update(columns)
    tree = sqlglot.parse_one(model.sql, dialect="duckdb")
    for table in tree.find_all(exp.Table):
        if table.db and not table.catalog:
            table.set("catalog", exp.to_identifier("main"))
    try:
        qualified = qualify(tree, schema=nested, dialect="duckdb", validate_qualify_columns=False, identify=False)
        scope = build_scope(qualified)
    except SqlglotError:
        return {}
    found: dict[str, list[tuple[str, str]]] = {}
    for name in qualified.named_selects:
        try:
            root = lineage(name, qualified, dialect="duckdb", scope=scope, trim_selects=False, copy=False)
        except (SqlglotError, ValueError):
            continue
        sources = sorted({source for node in root.walk() if (source := _source(node))})
        if sources:
            found[name] = sources
    return found


def _source(node: Node) -> tuple[str, str] | None:
    if node.downstream or not isinstance(node.expression, exp.Table):
        return None
    table = node.expression
    catalog = "" if table.catalog in ("", "main") else f"{table.catalog}."
    return f"{catalog}{table.db}.{table.name}", node.name.split(".")[-1].strip('"')
