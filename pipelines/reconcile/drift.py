"""The drift of every system against golden, with its class: one SELECT, generated from `policy.targets` by sqlglot.

`compared/*.sql` puts each system's value beside the golden one; this module keeps what differs beyond the policy's
tolerance, joins the base to that alone, and names who moved. One branch a target; all branches of an entity share one
join against golden and one against the base. Why stock moved is `reconcile/stock_explained.sql`.

Who moved is told from the target's own base, which is what golden was on the night when both agreed:

    observed <> base, golden = base     here            observed = base, golden <> base     elsewhere
    observed <> base, golden <> base    both            golden moved by a rule alone        rule

Consents are not here: their drift is `consents.py`, built before persons are known.
"""

from collections.abc import Sequence
from functools import cache, reduce

import duckdb
from sqlglot import exp

from pipelines.reconcile.differing import Target, differ, is_of, is_readable
from pipelines.reconcile.models import build_models, reconcile_models
from pipelines.reconcile.taken_back import with_rolled_back, with_taken_back
from pipelines.reconcile.who_moved import drift_class, reason
from pipelines.sql import Model, build, model_of
from pipelines.tables import TABLES, create_tables

COMPARED = {
    "customers": ("first_name", "last_name", "phone", "street", "city", "postcode", "loyalty_points"),
    "items": ("gtin",),
    "prices": ("amount", "compare_at"),
    "stock": ("on_hand", "available"),
}
"""Fields of `compared.<entity>`, which has `<field>_observed` and `<field>_desired` of each. A level is on_hand or
available, never both, so `compared.stock` has but `observed` and `desired`."""
ROLLBACK = tuple(f"reconcile.rollback_{name}" for name in ("said", "held", "rows", "drift"))
"""What people have ordered to be undone, from their words to drift."""
_KEYS = ("system", "vendor_id", "vendor_sub_id", "subject_id", "subject_sub_id", "currency", "version", "context")
_PRICED = ["list_desired", "list_rule", "cost_minor", "desired_until"]
_WORDS = "customers"
"""The entity whose fields are folded to compare them: said once a field, not once a target, for it is dear to plan."""


def read_targets(con: duckdb.DuckDBPyConnection) -> tuple[Target, ...]:
    """What the policy compares, but for consents."""
    rows = con.execute(
        "SELECT system, entity, field, tolerance FROM policy.targets ORDER BY entity, field, system"
    ).fetchall()
    return tuple(Target(*row) for row in rows if row[2] in COMPARED.get(row[1], ()))


def build_drift(con: duckdb.DuckDBPyConnection) -> int:
    """Build `reconcile.drift`; returns its rows. The trees, and persons where they are known, come before."""
    create_comparisons(con)
    targets = read_targets(con)
    build(con, stock_drifted(targets))
    build_models(con, "reconcile.stock_explained", "reconcile.prior_prices", *ROLLBACK)
    return build(con, drift(targets))


def create_comparisons(con: duckdb.DuckDBPyConnection) -> None:
    """Make the views `compared.*`, over tables that may be empty yet."""
    create_tables(con)
    con.execute("CREATE SCHEMA IF NOT EXISTS compared")
    for model in reconcile_models().values():
        if model.schema == "compared":
            con.execute(f"CREATE OR REPLACE VIEW {model.name} AS {model.sql}")


@cache
def drift(targets: tuple[Target, ...]) -> Model:
    """The model `reconcile.drift` for some targets; without any, no rows of the right columns."""
    branches: list[exp.Query] = [_nothing()]
    tables: list[tuple[str, exp.Query]] = []
    for entity in ("customers", "items", "prices"):
        own = [target for target in targets if target.entity == entity]
        if own:
            tables += [(f"drifted_{entity}", _drifted(own)), (f"based_{entity}", _based(own))]
            found = _spoken([_branch(target, own) for target in own], entity)
            branches.append(found if entity != _WORDS else with_taken_back([found]))
    if any(target.entity == "stock" for target in targets):
        branches.append(_stock_branch())
    query = with_rolled_back(branches)
    for name, table in tables:
        query = query.with_(name, as_=table, materialized=True, copy=False)
    return model_of("reconcile.drift", query.sql("duckdb", pretty=True))


@cache
def stock_drifted(targets: tuple[Target, ...]) -> Model:
    """The model `reconcile.stock_drifted`: the levels that differ, before anybody asks why."""
    columns = [*_KEYS, "authority", "on_hand", "observed", "desired"]
    none = exp.select(*columns, exp.cast(exp.null(), "VARCHAR").as_("field"))
    branches: list[exp.Query] = [none.from_(exp.table_("stock", "compared")).where(exp.false())]
    for target in (target for target in targets if target.entity == "stock"):
        query = exp.select(*columns, exp.Literal.string(target.field).as_("field"))
        differs = differ(target, exp.column("observed"), exp.column("desired"))
        if target.field == "on_hand":
            query = query.from_(exp.table_("counts", "compared"))
        else:
            others = exp.column("authority").neq(exp.Literal.string(target.system))
            query = query.from_(exp.table_("stock", "compared")).where(others)
        branches.append(query.where(is_of(target.system), differs))
    wrong = reduce(lambda left, right: exp.union(left, right, distinct=False, copy=False), branches)
    # Asked of the few rows that differ, not of the millions before the join.
    readable = exp.select(*columns, "field").from_("wrong").where(is_readable("stock"))
    readable = readable.with_("wrong", as_=wrong, materialized=True)
    return model_of("reconcile.stock_drifted", readable.sql("duckdb", pretty=True))


def _drifted(own: Sequence[Target]) -> exp.Select:
    """The compared rows of an entity in which a target's value differs."""
    entity = own[0].entity
    query = exp.select(*_columns(entity)).from_(_compared(own))
    if entity != _WORDS:
        return query.where(exp.or_(*(_differs(target, own) for target in own)))
    query = query.select(*(f"{field}_differs" for field in _fields(own)))
    # By field, not by target: DuckDB puts the folding into the filter again wherever it is named.
    return query.where(exp.or_(*(_is_wrong(field, own) for field in _fields(own))))


def _is_wrong(field: str, own: Sequence[Target]) -> exp.Expression:
    """`_differs` of all targets of one field of words at once."""
    systems = [target.system for target in own if target.field == field]
    blank = exp.column(f"{field}_desired").is_(exp.null())
    return exp.and_(exp.column("system").isin(*systems), blank.not_(), exp.column(f"{field}_differs"))


def _compared(own: Sequence[Target]) -> exp.Expression:
    """The compared rows of an entity; of words, with what differs after folding."""
    entity = own[0].entity
    rows = exp.table_(entity, "compared")
    if entity != _WORDS:
        return rows
    differ = [_pair(field, "observed", "desired").as_(f"{field}_differs") for field in _fields(own)]
    return exp.select(*_columns(entity), *differ).from_(rows).subquery("c")


def _fields(own: Sequence[Target]) -> list[str]:
    return [field for field in COMPARED[own[0].entity] if any(target.field == field for target in own)]


def _pair(field: str, left: str, right: str) -> exp.Expression:
    """Two of a field's words differ."""
    return differ(Target("", _WORDS, field), exp.column(f"{field}_{left}"), exp.column(f"{field}_{right}"))


def _columns(entity: str) -> list[str]:
    columns = list(_KEYS)
    for field in COMPARED[entity]:
        columns += [f"{field}_observed", f"{field}_desired"]
    if entity == "customers":
        return columns + [f"{field}_authority" for field in COMPARED[entity]]
    return columns + ["authority", "rule", "reason"] + (_PRICED if entity == "prices" else [])


def _based(own: Sequence[Target]) -> exp.Select:
    """The drifted rows of systems that were read whole, with what was last agreed beside them."""
    entity, differ = own[0].entity, [f"{field}_differs" for field in _fields(own) if own[0].entity == _WORDS]
    columns: list[exp.Expression] = [exp.column(name, "d") for name in _columns(entity) + differ]
    for field in COMPARED[entity]:
        known = exp.func("list_contains", exp.column("fields", "b"), exp.Literal.string(field))
        columns.append(exp.column(field, "b").as_(f"{field}_base"))
        columns.append(exp.func("coalesce", known, exp.false()).as_(f"{field}_has_base"))
    columns.append(exp.column("agreed_at", "b"))
    on = [exp.column(name, "b").eq(exp.column(name, "d")) for name in ("system", "vendor_id")]
    if entity == "prices":
        on.append(exp.column("vendor_price_list", "b").eq(exp.column("vendor_sub_id", "d")))
    drifted, base = exp.table_(f"drifted_{entity}", alias="d"), exp.table_(entity, "agreed", "ledger", alias="b")
    query = exp.select(*columns).from_(drifted)
    query = query.join(base, on=exp.and_(*on), join_type="left").where(is_readable(entity, "d"))
    if entity != _WORDS:
        return query
    moved = [_pair(field, "observed", "base").as_(f"{field}_here") for field in _fields(own)]
    moved += [_pair(field, "desired", "base").as_(f"{field}_there") for field in _fields(own)]
    return exp.select(*(column.alias_or_name for column in columns), *moved).from_(query.subquery("b"))


def _branch(target: Target, own: Sequence[Target]) -> exp.Select:
    """The rows of one target, in the columns of `reconcile.drift`."""
    field, is_price = target.field, target.entity == "prices"
    observed, base = exp.column(f"{field}_observed"), exp.column(f"{field}_base")
    desired, has_base = _desired(target, own), exp.column(f"{field}_has_base")
    golden_now, golden_then = desired, base
    if is_price:  # the list price, so that the first and last day of a promotion are nobody's edit
        golden_now = exp.column("list_desired")
        golden_then = exp.func("greatest", exp.column("amount_base"), exp.column("compare_at_base"))
    authority = exp.column(f"{field}_authority" if target.entity == "customers" else "authority")
    moved_here: exp.Expression = exp.column(f"{field}_here")
    moved_there: exp.Expression = exp.column(f"{field}_there")
    if target.entity != _WORDS:
        moved_here, moved_there = differ(target, observed, base), differ(target, golden_now, golden_then)
    is_amount = is_price and field == "amount"
    values: dict[str, exp.Expression] = {
        "system": exp.Literal.string(target.system),
        "entity": exp.Literal.string(target.entity),
        "field": exp.Literal.string(field),
        "observed": observed,
        "base": exp.case().when(has_base, base),
        "has_base": has_base,
        "desired": desired,
        "drift_class": drift_class(has_base, moved_here, moved_there),
        "authority": authority,
        "rule": _rule(target, own),
        "reason": exp.column("reason") if is_price else exp.null(),
        "cost_minor": exp.column("cost_minor") if is_amount else exp.null(),
        "old_minor": observed if is_amount else exp.null(),
        "desired_until": exp.column("desired_until") if is_price else exp.null(),
    }
    query = _projected(values).select("agreed_at").from_(exp.table_(f"based_{target.entity}"))
    return query.where(is_of(target.system), _differs(target, own))


def _spoken(branches: Sequence[exp.Query], entity: str) -> exp.Select:
    """All rows of an entity's branches with their reason in words: once for all, for sentences are dear to plan."""
    rows = reduce(lambda left, right: exp.union(left, right, distinct=False, copy=False), branches).subquery("d")
    columns = [reason(entity).as_(name) if name == "reason" else exp.column(name) for name in TABLES["reconcile.drift"]]
    return exp.select(*columns).from_(rows)


def _stock_branch() -> exp.Select:
    """Every drifted level, with the class that `stock_explained` found."""
    explained = {"base", "has_base", "drift_class", "reason"}
    values: dict[str, exp.Expression] = {
        name: exp.column(name, "e" if name in explained else "d") for name in TABLES["reconcile.drift"]
    } | {
        "entity": exp.Literal.string("stock"),
        "rule": exp.Literal.string("stock ledger"),
        "cost_minor": exp.null(),
        "old_minor": exp.null(),
        "desired_until": exp.null(),
    }
    keys = ("system", "vendor_id", "vendor_sub_id")
    query = _projected(values).from_(exp.table_("stock_drifted", "reconcile", alias="d"))
    on = exp.and_(*(exp.column(key, "e").eq(exp.column(key, "d")) for key in keys))
    return query.join(exp.table_("stock_explained", "reconcile", alias="e"), on=on)


def _nothing() -> exp.Select:
    return _projected(dict.fromkeys(TABLES["reconcile.drift"], exp.null())).where(exp.false())


def _projected(values: dict[str, exp.Expression]) -> exp.Select:
    """All columns of `reconcile.drift`, in order and typed; those not given come from the table below."""
    columns = TABLES["reconcile.drift"].items()
    return exp.select(
        *(exp.cast(values.get(name, exp.column(name)), kind, dialect="duckdb").as_(name) for name, kind in columns)
    )


def _desired(target: Target, own: Sequence[Target]) -> exp.Expression:
    return exp.column("list_desired" if _holds_list(target, own) else f"{target.field}_desired")


def _rule(target: Target, own: Sequence[Target]) -> exp.Expression:
    if target.entity == "customers":
        return exp.Literal.string("survivorship")
    return exp.column("list_rule" if _holds_list(target, own) else "rule")


def _holds_list(target: Target, own: Sequence[Target]) -> bool:
    """A system that shows struck-through prices holds the promotion's price, every other the list price."""
    shows = any(other.system == target.system and other.field == "compare_at" for other in own)
    return target.entity == "prices" and target.field == "amount" and not shows


def _differs(target: Target, own: Sequence[Target]) -> exp.Expression:
    """The row is the target's, and its value is wrong. A blank corrects nothing, but for a struck-through price."""
    desired = _desired(target, own)
    differs: exp.Expression = exp.column(f"{target.field}_differs")
    if target.entity != _WORDS:
        differs = differ(target, exp.column(f"{target.field}_observed"), desired)
    parts = [is_of(target.system), differs]
    if target.field != "compare_at":
        parts.append(desired.is_(exp.null()).not_())
    return exp.and_(*parts)
