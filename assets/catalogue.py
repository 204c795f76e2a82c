"""Which tables a night fills, step by step, and what each reads: Dagster's asset graph, taken from the SQL.

Belongs here: names, groups, dependencies, schemas. Not: tables that no model fills (`kept`), how a table is filled (the
modules beside this one), what was in it (`metadata`) and where its columns come from (`origins`).
A table is an asset of the same name, the `ledger.` prefix left out. What a night reads of the night before (the base,
bindings, cursors) is no dependency: the graph of one night has no circle.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter

import dagster as dg

from assets.kept import KEPT, Table
from assets.systems import NAMES, SHOWN
from pipelines import agree, plan, suppressions
from pipelines.reconcile.models import reconcile_models
from pipelines.sql import Model, in_order
from pipelines.stage import stage_models, union_models
from pipelines.tables import QUARANTINE, RAW, STAGE, TABLES

RECONCILE_STEPS = (
    ("consents", ("observed.consents", "golden.consents", "reconcile.consent*")),
    ("items", ("reconcile.item*", "reconcile.renamed_items")),
    ("persons", ("reconcile.person*", "observed.customers", "golden.customers")),
    ("drift", ("reconcile.drift*", "reconcile.stock_*", "reconcile.prior_prices", "reconcile.rollback_*")),
    ("trees", ("observed.*", "golden.*", "reconcile.*")),
)
"""Which step of the night builds which models of reconcile; the first pattern that fits."""
OPT_OUTS, REACHED = "suppressions.by_address", "suppressions.over_links"
AFTER = {"items": OPT_OUTS, "persons": OPT_OUTS, "trees": REACHED}
"""Opt-outs have gone out before anything is begun that could fail or take long, and again once persons are linked."""
REMEMBERED = ("ledger.", "quarantine.")
"""What a step adds to and has read before: as an input of its own first tables, it is what was there already."""
VIEWS = "compared.*"
"""Models of reconcile that are views: not assets themselves, they stand for what they read."""
_HEAD = "(?:grain|key|why):"
"""How a line of a model's header begins."""


@dataclass(frozen=True, slots=True)
class Step:
    """One op of the night: its name, its stage's word, and the tables it fills, in order."""

    name: str
    group: str
    tables: tuple[Table, ...]


def asset_key(table: str) -> dg.AssetKey:
    """`square.items` is `square/items`; `ledger.sync.plans` is `sync/plans`."""
    return dg.AssetKey(table.removeprefix("ledger.").split("."))


def table_name(key: dg.AssetKey) -> str:
    """The table of an asset, as SQL knows it."""
    name = ".".join(key.path)
    return name if key.path[0] not in ("sync", "agreed", "identity", "history") else f"ledger.{name}"


@cache
def steps() -> dict[str, Step]:
    """The night's steps in the order in which they run."""
    raw = tuple(
        Table(f"raw_{c.name}.{e.name}", doc=f"{e.name} of {c.title}, as the vendor gives them.", system=c.name)
        for c in SHOWN
        for e in c.endpoints
    )
    files = tuple(Table(n, doc="The user's files as rows.") for n in TABLES if n.startswith(("estate.", "policy.")))
    staged = _of_models(in_order(stage_models(NAMES)))
    doc = "Rows kept out, and why."
    kept_out = tuple(
        Table(f"quarantine.{c.name}", _names(t for t in staged if t.system == c.name), doc, c.name) for c in SHOWN
    )
    found = [
        Step("extract", "extract", (*files, *raw, *KEPT["extract"])),
        Step("stage", "stage", (*staged, *kept_out, *KEPT["stage"])),
        *(_reconcile(name) for name in ("consents",)),
        _lane("suppress", OPT_OUTS, "reconcile.consent_drift"),
        *(_reconcile(name) for name in ("items", "persons")),
        _lane("reach", REACHED, "reconcile.person_matches"),
        *(_reconcile(name) for name in ("trees", "drift")),
        Step("check", "check", (Table("checks.results", frozenset({"reconcile.drift"}), "What each check found."),)),
        Step("plan", "plan", _plan_tables()),
        *(Step(name, name, KEPT[name]) for name in ("approve", "push")),
        Step("verify", "verify", _by_inputs((*_of_models(agree.models()), *KEPT["verify"]))),
    ]
    return {step.name: step for step in found}


@cache
def step_of() -> dict[str, str]:
    """The step that fills a table."""
    return {table.name: step.name for step in steps().values() for table in step.tables}


def specs(step: str) -> list[dg.AssetSpec]:
    """The asset specs of one step."""
    return [_spec(steps()[step], table) for table in steps()[step].tables]


def model_of(table: str) -> Model | None:
    """The SQL model that fills a table, where one does."""
    return _models().get(table)


@cache
def real_tables(name: str) -> frozenset[str]:
    """A view stands for the tables it reads; a table for itself."""
    found = views().get(name)
    return frozenset({name}) if found is None else frozenset().union(*(real_tables(inner) for inner in found.inputs))


@cache
def views() -> dict[str, Model]:
    """The models that are views, and therefore no assets."""
    return union_models(NAMES) | {m.name: m for m in reconcile_models().values() if fnmatch(m.name, VIEWS)}


def schema_of(table: str) -> dict[str, str] | None:
    """The columns of a table that are fixed in code."""
    schema, name = table.split(".")[-2:]
    if table in TABLES:
        return TABLES[table]
    if schema.startswith("raw_"):
        return RAW
    if schema == "quarantine":
        return QUARANTINE
    if name in STAGE and schema in NAMES:
        return STAGE[name]
    return None


@cache
def _models() -> dict[str, Model]:
    planned = (
        *plan.models("main"), plan.told_model(), plan.untold_model(), plan.corrections_model(),
        *agree.models(),
    )
    return {**stage_models(NAMES), **reconcile_models(), **suppressions.models(), **{m.name: m for m in planned}}


@cache
def _order() -> dict[str, int]:
    """Position of every table in the night; a table may only depend on earlier ones."""
    names = [table.name for step in steps().values() for table in step.tables]
    return {name: position for position, name in enumerate(names)}


def _spec(step: Step, table: Table) -> dg.AssetSpec:
    inputs = frozenset(real for name in table.inputs for real in real_tables(name))
    before = {name for name in inputs if name in _order() and _order()[name] < _order()[table.name]}
    columns = schema_of(table.name)
    metadata = {"dagster/table_name": table.name}
    if columns:
        metadata["dagster/column_schema"] = dg.TableSchema([dg.TableColumn(n, k) for n, k in columns.items()])
    return dg.AssetSpec(
        asset_key(table.name),
        deps=sorted(map(asset_key, before), key=str),
        group_name=step.group,
        kinds={"duckdb", *([table.system] if table.system else [])},
        tags={"system": table.system} if table.system else {},
        description=_as_markdown(table.doc) or None,
        metadata=metadata,
    )


def _as_markdown(doc: str) -> str:
    """A paragraph for each line of a header: in Markdown a line break alone is none."""
    parts = (part.replace("\n", " ") for part in re.split(rf"\n(?={_HEAD})", doc))
    return "\n\n".join(re.sub(rf"^({_HEAD})", r"**\1**", part) for part in parts)


def _reconcile(name: str) -> Step:
    chosen = {
        model.name: model
        for model in reconcile_models().values()
        if not fnmatch(model.name, VIEWS)
        and next(step for step, patterns in RECONCILE_STEPS if any(fnmatch(model.name, p) for p in patterns)) == name
    }
    tables = _by_inputs((*_of_models(in_order(chosen)), *KEPT.get(name, ())))
    if name in AFTER:
        tables = tuple(replace(table, inputs=table.inputs | {AFTER[name]}) for table in tables)
    return Step(name, "reconcile", tables)


def _by_inputs(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """A step's tables, each after those it is made of.

    What a step keeps (the ledger's, and the quarantine), its first tables may read as it was before: that is no
    dependency.
    """
    by_name = {table.name: table for table in tables}

    def made_of(name: str, seen: set[str]) -> set[str]:
        for real in {real for inner in by_name[name].inputs for real in real_tables(inner)} & by_name.keys() - seen:
            seen.add(real)
            if not real.startswith(REMEMBERED):
                made_of(real, seen)
        return seen

    kept = {name: made_of(name, set()) for name in by_name if name.startswith(REMEMBERED)}
    graph = {
        name: sorted(
            real for inner in table.inputs for real in real_tables(inner)
            if real in by_name and real != name and name not in kept.get(real, ())
        )
        for name, table in by_name.items()
    }
    return tuple(by_name[name] for name in TopologicalSorter(graph).static_order())


def _lane(step: str, table: str, *inputs: str) -> Step:
    doc = "Opt-outs: planned, approved, pushed and read back first, in a lane of their own."
    if table == REACHED:
        doc = "Opt-outs that reach other addresses of the same person over links made tonight."
    return Step(step, "push", (Table(table, frozenset(inputs) | suppressions.models()[table].inputs, doc),))


def _plan_tables() -> tuple[Table, ...]:
    """The planner's own tables as the main lane leaves them, the ledger's, and tonight's plans read back from there."""
    own = _of_models(plan.models("main"))
    checked = tuple(replace(table, inputs=table.inputs | {"checks.results"}) for table in own)
    told = _of_models([plan.told_model(), plan.untold_model()])
    return (*checked, *told, *KEPT["plan"], *_of_models([plan.corrections_model()]))


def _of_models(models: Iterable[Model]) -> tuple[Table, ...]:
    return tuple(Table(m.name, m.inputs, m.doc, m.schema if m.schema in NAMES else "") for m in models)


def _names(tables: Iterable[Table]) -> frozenset[str]:
    return frozenset(table.name for table in tables)
