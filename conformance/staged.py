"""Staging as a night does it, in a scratch database: reads into raw tables, models built, clean rows looked at.

Knows which staged column a compared field is, and which one is the second half of a record's key. Reads no system.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import duckdb

from conformance.read import Read
from pipelines.channels.base import Channel
from pipelines.duck import connect
from pipelines.estate import Estate, compile_estate
from pipelines.extract_log import ensure_raw_tables, raw_schema
from pipelines.ledger import migrate
from pipelines.macros import load_macros
from pipelines.sql import Model, build, in_order
from pipelines.stage import entity_of, stage_models
from pipelines.tables import create_tables

Row = dict[str, Any]
_SUB_KEYS = {"prices": "vendor_price_list", "stock": "vendor_location_id", "consents": "vendor_audience_id"}
_COLUMNS = {"amount": "amount_minor", "compare_at": "compare_at_minor", "phone": "phone_e164", "gtin": "gtin_norm"}
_SPELT = frozenset({"phone", "gtin"})
"""Fields of which the staged table also has the system's own spelling, under the field's name."""


def scratch(system: str, estate: Estate | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory as a night of this system finds it; the estate's words in it where there is one."""
    con = opened()
    prepare(con, system, estate)
    return con


KEY = b"conformance"
"""Of contact points and of the audit's chain, which are nobody's here."""


def opened(main: str = ":memory:", ledger: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """An empty database and its ledger."""
    con = connect(main, threads=2)
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"ATTACH '{ledger}' AS ledger")
    return con


def prepare(con: duckdb.DuckDBPyConnection, system: str, estate: Estate | None) -> None:
    """Macros, ledger and tables. Its contact points are nobody's: the key is this module's."""
    load_macros(con, contact_key=KEY)
    migrate(con)
    create_tables(con, stage_models([system]).values())
    if estate is not None:
        compile_estate(con, estate)


def models_of(channel: Channel, entities: set[str]) -> list[Model]:
    """The stage models of these entities' tables (none named: all that it serves as), with those that they read."""
    own = {
        name: model for name, model in stage_models([channel.name]).items()
        if entity_of(model.table) in channel.entities
    }
    wanted = {name for name, model in own.items() if not entities or model.table in entities}
    while more := {name for one in wanted for name in own[one].inputs if name in own} - wanted:
        wanted |= more
    return in_order({name: own[name] for name in wanted})


def endpoints_of(models: Iterable[Model]) -> set[str]:
    """The raw tables that these models read, by the endpoint's name."""
    return {name.partition(".")[2] for model in models for name in model.inputs if name.startswith("raw_")}


def stage(
    con: duckdb.DuckDBPyConnection, channel: Channel, reads: Iterable[Read], models: Iterable[Model], *, at: datetime
) -> None:
    """Fill the raw tables with these reads, and build the models."""
    ensure_raw_tables(con, [channel])
    for one in reads:
        table = f"{raw_schema(channel.name)}.{one.endpoint.name}"
        con.execute(f"DELETE FROM {table}")
        kept = {row.id: row for row in one.rows}.values()
        if kept:
            columns = [
                [row.id for row in kept], [row.updated_at for row in kept], [row.payload.decode() for row in kept]
            ]
            unnested = ", ".join("unnest(?::VARCHAR[])" for _ in columns)
            con.execute(f"INSERT INTO {table} SELECT {unnested}, ?", [*columns, at])
    for model in models:
        build(con, model)


def clean_rows(con: duckdb.DuckDBPyConnection, channel: Channel, entity: str) -> list[Row]:
    """Staged rows of records of which nothing is in quarantine; none where the system has no such table."""
    name = f"{channel.name}.{entity}"
    if name not in stage_models([channel.name]):
        return []
    cursor = con.execute(
        f"SELECT s.* FROM {name} AS s WHERE s.vendor_id NOT IN (SELECT q.vendor_id "
        f"FROM quarantine.{channel.name} AS q WHERE q.vendor_id IS NOT NULL) ORDER BY ALL"
    )
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def value_of(field: str, row: Row) -> str | None:
    """A compared field's value in a staged row, as canonical text."""
    value = row.get(_COLUMNS.get(field, field))
    return None if value is None else str(value)


def typed_of(field: str, row: Row) -> str | None:
    """The same as the system has it spelt: what is to be put back."""
    value = row.get(field) if field in _SPELT else row.get(_COLUMNS.get(field, field))
    return None if value is None else str(value)


def with_value(field: str, value: str | None) -> Row:
    """The columns of a staged row that hold a field, with another value."""
    column = _COLUMNS.get(field, field)
    return {column: value} | ({field: value} if field in _SPELT else {})


def sub_id_of(entity: str, row: Row) -> str:
    """The vendor's location, price list or audience of a staged row; '' where the record alone is the key."""
    return str(row[_SUB_KEYS[entity]] or "") if entity in _SUB_KEYS else ""
