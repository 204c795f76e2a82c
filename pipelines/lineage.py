"""Which columns each column of a SQL model comes from, read from the SQL itself. Knows no Dagster and no data.

Reading it takes some ten milliseconds a model, so what was read is kept in `catalogue.lineage`, by a digest of the
model's text and its inputs' columns.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

import duckdb
import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from pipelines.sql import Model

Schema = Mapping[str, Mapping[str, str]]
"""Column types by table ("schema.table" or "ledger.schema.table")."""


Sources = dict[str, list[tuple[str, str]]]
"""(table, column) pairs by output column."""

_PLACE = "rowid"
"""A row's place in its table, which DuckDB lets one ask for: known to every table, and no column of any."""
_KEPT = "CREATE TABLE IF NOT EXISTS catalogue.lineage (digest VARCHAR NOT NULL, sources VARCHAR NOT NULL)"


def kept_lineage(con: duckdb.DuckDBPyConnection, model: Model, schema: Schema) -> Sources:
    """`column_lineage`, read once and then kept in the working database."""
    digest = sha256(msgspec.json.encode([model.name, model.sql, schema], order="deterministic")).hexdigest()
    con.execute("CREATE SCHEMA IF NOT EXISTS catalogue")
    con.execute(_KEPT)
    row = con.execute("SELECT sources FROM catalogue.lineage WHERE digest = ? LIMIT 1", [digest]).fetchone()
    if row is not None:
        return msgspec.json.decode(row[0], type=Sources)
    text = _read_once(model, msgspec.json.encode(schema, order="deterministic"))
    con.execute("INSERT INTO catalogue.lineage VALUES (?, ?)", [digest, text.decode()])
    return msgspec.json.decode(text, type=Sources)


@lru_cache(maxsize=512)
def _read_once(model: Model, schema: bytes) -> bytes:
    return msgspec.json.encode(column_lineage(model, msgspec.json.decode(schema)))


def column_lineage(model: Model, schema: Schema) -> Sources:
    """The (table, column) pairs behind each output column. Columns made of nothing but constants are left out."""
    nested: dict[str, object] = {}
    for table, columns in schema.items():
        parts = table.split(".")
        node: dict[str, object] = nested
        for part in ["main", *parts][-3:]:  # sqlglot wants the same depth for all
            node = node.setdefault(part, {})  # type: ignore[assignment]
        node.update({**columns, _PLACE: "BIGINT"})
    tree = sqlglot.parse_one(model.sql, dialect="duckdb")
    for table in tree.find_all(exp.Table):
        if table.db and not table.catalog:
            table.set("catalog", exp.to_identifier("main"))
    try:
        qualified = qualify(tree, schema=nested, dialect="duckdb", validate_qualify_columns=False, identify=False)
        scope = build_scope(qualified)
    except SqlglotError:
        return {}
    found: Sources = {}
    for name in qualified.named_selects:
        try:
            root = lineage(name, qualified, dialect="duckdb", scope=scope, trim_selects=False, copy=False)
        except (SqlglotError, ValueError):
            continue
        sources = sorted(
            {source for node in root.walk() if (source := _source(node)) and source[1] != _PLACE}
        )
        if sources:
            found[name] = sources
    return found


def _source(node: Node) -> tuple[str, str] | None:
    if node.downstream or not isinstance(node.expression, exp.Table):
        return None
    table = node.expression
    catalog = "" if table.catalog in ("", "main") else f"{table.catalog}."
    return f"{catalog}{table.db}.{table.name}", node.name.split(".")[-1].strip('"')
