"""Drift that is taken back: in its places, it stands instead of what else would be written there.

SQL expressions only. What was another person's says `reconcile/person_undo.sql`, what a person has rolled back
`reconcile/rollback_drift.sql`; a place has one row, and that wins.
"""

from collections.abc import Sequence
from functools import reduce

from sqlglot import exp

from pipelines.tables import TABLES

_OF_RECORD = ("system", "vendor_id", "field")
_OF_VALUE = ("system", "entity", "field", "vendor_id", "vendor_sub_id")


def with_taken_back(branches: Sequence[exp.Query]) -> exp.Query:
    """All rows of the customers' branches, but in the places that `reconcile.person_undo` has a row for: that row."""
    return _instead("person_undo", _OF_RECORD, branches)


def with_rolled_back(branches: Sequence[exp.Query]) -> exp.Query:
    """The same for all branches, and the places that `reconcile.rollback_drift` has a row for."""
    return _instead("rollback_drift", _OF_VALUE, branches)


def _instead(table: str, place: Sequence[str], branches: Sequence[exp.Query]) -> exp.Query:
    found = reduce(lambda left, right: exp.union(left, right, distinct=False, copy=False), branches)
    same = exp.and_(*(exp.column(name, "u").eq(exp.column(name, "d")) for name in place))
    undone = exp.select("u.system").from_(exp.table_(table, "reconcile", alias="u")).where(same)
    columns = [exp.column(name, "d") for name in TABLES["reconcile.drift"]]
    other = exp.select(*columns).from_(found.subquery("d")).where(exp.Exists(this=undone).not_())
    taken_back = exp.select(*TABLES["reconcile.drift"]).from_(exp.table_(table, "reconcile"))
    return exp.union(other, taken_back, distinct=False, copy=False)
