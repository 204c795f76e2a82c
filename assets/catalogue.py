"""Which tables a night fills, step by step, and what each reads: Dagster's asset graph, taken from the SQL.

Belongs here: names, groups, dependencies, schemas. Not: how a table is filled (the modules beside this one) and what
was in it (`metadata`). A table is an asset of the same name, the `ledger.` prefix left out. What a night reads of the
night before (the base, bindings, cursors) is no dependency: the graph of one night has no circle.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache

import dagster as dg

from pipelines import plan
from pipelines.channels import CHANNELS
from pipelines.reconcile.models import reconcile_models
from pipelines.sql import Model, in_order
from pipelines.stage import stage_models, union_models
from pipelines.tables import QUARANTINE, RAW, STAGE, TABLES

RECONCILE_STEPS = (
    ("consents", ("observed.consents", "golden.consents", "reconcile.consent*")),
    ("items", ("reconcile.item*",)),
    ("persons", ("reconcile.person*",)),
    ("drift", ("reconcile.drift*", "reconcile.stock_*")),
    ("trees", ("observed.*", "golden.*", "reconcile.*")),
)
"""Which step of the night builds which models of reconcile; the first pattern that fits."""
OPT_OUTS, REACHED = "sync.suppressions", "sync.suppressions_over_links"
AFTER = {"items": OPT_OUTS, "persons": OPT_OUTS, "trees": REACHED}
"""Opt-outs have gone out before anything is begun that could fail or take long, and again once persons are linked."""
VIEWS = "compared.*"
"""Models of reconcile that are views: not assets themselves, they stand for what they read."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it reads, what it is, and whose it is."""

    name: str
    inputs: frozenset[str] = frozenset()
    doc: str = ""
    system: str = ""


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
        for c in CHANNELS
        for e in c.endpoints
    )
    files = tuple(Table(n, doc="The user's files as rows.") for n in TABLES if n.startswith(("estate.", "policy.")))
    judged = Table("reads.verdicts", _names(raw), "How far each read can be believed, per system and entity.")
    staged = _of_models(in_order(dict(stage_models())))
    doc = "Rows kept out, and why."
    kept_out = tuple(
        Table(f"quarantine.{c.name}", _names(t for t in staged if t.system == c.name), doc, c.name) for c in CHANNELS
    )
    sync = "ledger.sync"
    found = [
        Step("extract", "extract", (*files, *raw, judged)),
        Step("stage", "stage", (*staged, *kept_out)),
        *(_reconcile(name) for name in ("consents",)),
        _lane("suppress", OPT_OUTS, "reconcile.consent_drift"),
        *(_reconcile(name) for name in ("items", "persons")),
        _lane("reach", REACHED, "reconcile.person_matches"),
        *(_reconcile(name) for name in ("trees", "drift")),
        Step("check", "check", (Table("checks.results", frozenset({"reconcile.drift"}), "What each check found."),)),
        Step("plan", "plan", _plan_tables()),
        Step("approve", "approve", (
            Table(f"{sync}.approvals", frozenset({f"{sync}.corrections"}), "Who allows which correction, until when."),
        )),
        Step("push", "push", (
            Table(f"{sync}.intents", frozenset({f"{sync}.approvals"}), "What was to be sent, kept before it was."),
            Table(f"{sync}.outcomes", frozenset({f"{sync}.intents"}), "The vendor's word on each correction."),
        )),
        Step("verify", "verify", (
            Table(f"{sync}.verifications", frozenset({f"{sync}.outcomes"}), "What the re-read by id showed."),
            *(
                Table(f"ledger.agreed.{entity}", frozenset({f"{sync}.verifications", f"observed.{entity}"}),
                      "The value on which system and golden last agreed, proven.")
                for entity in ("items", "prices", "stock", "customers", "consents")
            ),
            Table("ledger.history.prices", frozenset({"observed.prices"}), "What a price was, as change rows."),
            Table("ledger.sync.nights", frozenset({f"{sync}.verifications"}), "The nights, their status and summary."),
        )),
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
    found = _views().get(name)
    return frozenset({name}) if found is None else frozenset().union(*(real_tables(inner) for inner in found))


@cache
def _views() -> dict[str, frozenset[str]]:
    found = {model.name: model.inputs for model in union_models().values()}
    return found | {m.name: m.inputs for m in reconcile_models().values() if fnmatch(m.name, VIEWS)}


def schema_of(table: str) -> dict[str, str] | None:
    """The columns of a table that are fixed in code."""
    schema, name = table.split(".")[-2:]
    if table in TABLES:
        return TABLES[table]
    if schema.startswith("raw_"):
        return RAW
    if schema == "quarantine":
        return QUARANTINE
    if name in STAGE and schema in {channel.name for channel in CHANNELS}:
        return STAGE[name]
    return None


@cache
def _models() -> dict[str, Model]:
    return {**stage_models(), **reconcile_models()}


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
        description=table.doc or None,
        metadata=metadata,
    )


def _reconcile(name: str) -> Step:
    chosen = {
        model.name: model
        for model in reconcile_models().values()
        if not fnmatch(model.name, VIEWS)
        and next(step for step, patterns in RECONCILE_STEPS if any(fnmatch(model.name, p) for p in patterns)) == name
    }
    first, *rest = _generated() if name == "drift" else (None,)
    tables = (*([first] if first else ()), *_of_models(in_order(chosen)), *rest)
    if name in AFTER:
        tables = tuple(replace(table, inputs=table.inputs | {AFTER[name]}) for table in tables)
    return Step(name, "reconcile", tables)


def _generated() -> tuple[Table, ...]:
    """The two models that are generated from the policy's targets: before and after those that lie in files."""
    compared = frozenset(f"compared.{entity}" for entity in ("items", "prices", "stock", "customers"))
    base = frozenset(f"ledger.agreed.{entity}" for entity in ("items", "prices", "stock", "customers"))
    return (
        Table("reconcile.stock_drifted", frozenset({"compared.stock"}), "Stock levels that differ, before the why."),
        Table(
            "reconcile.drift", compared | base | {"reconcile.stock_explained"},
            "Every value of every system that is not what it ought to be, with who moved.",
        ),
    )


def _lane(step: str, table: str, *inputs: str) -> Step:
    doc = "Opt-outs: planned, approved, pushed and read back first, in a lane of their own."
    if table == REACHED:
        doc = "Opt-outs that reach other addresses of the same person over links made tonight."
    return Step(step, "push", (Table(table, frozenset(inputs), doc),))


def _plan_tables() -> tuple[Table, ...]:
    inputs = frozenset(name for model in plan.models("main") for name in model.inputs if not name.startswith("plan."))
    corrections = Table(
        "ledger.sync.corrections", inputs | {"checks.results"}, "One row per value to change: observed, desired, why."
    )
    plans = Table("ledger.sync.plans", frozenset({corrections.name}), "Fingerprinted sets of corrections.")
    return corrections, plans


def _of_models(models: Iterable[Model]) -> tuple[Table, ...]:
    systems = {channel.name for channel in CHANNELS}
    return tuple(Table(m.name, m.inputs, m.doc, m.schema if m.schema in systems else "") for m in models)


def _names(tables: Iterable[Table]) -> frozenset[str]:
    return frozenset(table.name for table in tables)
