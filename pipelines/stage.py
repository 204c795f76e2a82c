"""Stage: `raw_<system>.*` to `<system>.*`, one SELECT per table, bad rows to quarantine; and the view over all systems.

The models lie beside their system in `channels/<system>/*.sql`. Reconcile reads every system at once through
`staged.<entity>`, a generated UNION ALL over the systems of the estate that have the entity: a new one changes no SQL.
"""

from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

import duckdb
from sqlglot import exp

from pipelines.sql import ROOT, Model, build, find_models, in_order, model_of
from pipelines.tables import QUARANTINE, STAGE, create_tables

CHANNELS_FOLDER = ROOT / "channels"
_PART_OF = {
    "promotions": "prices", "movements": "stock", "order_lines": "orders", "holds": "orders",
    "loyalty_cards": "loyalty", "loyalty_events": "loyalty",
}


def stage_models(systems: Collection[str] | None = None) -> dict[str, Model]:
    """The stage models of some systems (None: of all that there are), by name.

    A system's are parsed when they are first asked for: an estate that does not have it does not wait for them.
    """
    folders = sorted(path for path in CHANNELS_FOLDER.iterdir() if path.is_dir())
    chosen = [folder for folder in folders if systems is None or folder.name in systems]
    return {name: model for folder in chosen for name, model in _models_in(folder).items()}


@cache
def _models_in(folder: Path) -> dict[str, Model]:
    return find_models(folder)


def stage_system(
    con: duckdb.DuckDBPyConnection, system: str, entities: Collection[str] | None = None
) -> dict[str, int]:
    """Build all tables of one system, in order; returns the rows of each, by table name.

    `entities`: those that it serves as; the tables of others are left empty. None: all that it has.
    """
    models = stage_models([system])
    create_tables(con, models.values())
    if entities is not None:
        for name in [name for name, model in models.items() if entity_of(model.table) not in entities]:
            con.execute(f"DELETE FROM {name}")
            con.execute(f"DELETE FROM quarantine.{system} WHERE entity = ?", [models.pop(name).table])
    return {model.name: build(con, model) for model in in_order(models)}


def entity_of(table: str) -> str:
    """The entity that a stage table belongs to: `movements` are of `stock`."""
    return _PART_OF.get(table, table)


def union_models(systems: Collection[str] | None = None) -> dict[str, Model]:
    """The generated `staged.<entity>` of every entity; its inputs name the tables of the systems that have it.

    `systems`: those of the estate; None: all that there are.
    """
    return dict(_unions(tuple(sorted({model.schema for model in stage_models(systems).values()}))))


@cache
def _unions(systems: tuple[str, ...]) -> dict[str, Model]:
    found = {}
    for entity, columns in STAGE.items():
        having = sorted(m.schema for m in stage_models(systems).values() if m.table == entity)
        text = _union(entity, columns, having).sql("duckdb", pretty=True)
        found[f"staged.{entity}"] = model_of(f"staged.{entity}", text)
    found["staged.quarantine"] = model_of("staged.quarantine", _quarantine(systems).sql("duckdb", pretty=True))
    return found


def create_unions(con: duckdb.DuckDBPyConnection, systems: Collection[str] | None = None) -> None:
    """(Re)create the views `staged.*` over some systems; their tables are made, empty, where they are missing."""
    create_tables(con, stage_models(systems).values())
    con.execute("CREATE SCHEMA IF NOT EXISTS staged")
    for model in union_models(systems).values():
        con.execute(f"CREATE OR REPLACE VIEW {model.name} AS {model.sql}")


def _union(entity: str, columns: dict[str, str], systems: list[str]) -> exp.Query:
    """Casts fix the view's types, whatever width a vendor's own SQL gave a number."""

    def one(system: str) -> exp.Query:
        listed = [exp.cast(exp.column(name), kind, dialect="duckdb").as_(name) for name, kind in columns.items()]
        return exp.select(exp.Literal.string(system).as_("system"), *listed).from_(exp.table_(entity, db=system))

    if not systems:
        listed = [exp.cast(exp.null(), kind, dialect="duckdb").as_(name) for name, kind in columns.items()]
        return exp.select(exp.cast(exp.null(), "VARCHAR").as_("system"), *listed).where(exp.false())
    query = one(systems[0])
    for system in systems[1:]:
        query = exp.union(query, one(system), distinct=False)
    return query


def _quarantine(systems: Iterable[str]) -> exp.Query:
    """What every system's stage, and then reconcile itself, kept out."""
    query = exp.select("system", *QUARANTINE).from_("quarantine.reconcile")
    for system in systems:
        one = exp.select(exp.Literal.string(system).as_("system"), *QUARANTINE)
        query = exp.union(query, one.from_(exp.table_(system, db="quarantine")), distinct=False)
    return query
