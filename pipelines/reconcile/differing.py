"""Whether two values of a target differ, and of whom anything may be concluded, as SQL expressions.

Tolerance and folding are here alone; which values are put beside each other is `drift`'s.
"""

from dataclasses import dataclass

from sqlglot import exp

_NEEDS = {"customers": ("customers",), "items": ("items",), "prices": ("items", "prices"), "stock": ("items", "stock")}
_NUMBERS = ("amount", "compare_at", "on_hand", "available")
_EXACT = ("phone", "gtin", "loyalty_points")


@dataclass(frozen=True, slots=True)
class Target:
    """One row of `policy.targets`."""

    system: str
    entity: str
    field: str
    tolerance: int = 0


def differ(target: Target, left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """Two values differ, after tolerance for numbers, and after folding case and accents for text."""
    left, right = left.copy(), right.copy()
    if target.field in _NUMBERS and target.tolerance:
        over = exp.func("abs", exp.paren(left - right)) > exp.Literal.number(target.tolerance)
        return exp.and_(exp.NullSafeNEQ(this=left, expression=right), exp.func("coalesce", over, exp.true()))
    plain = exp.NullSafeNEQ(this=left, expression=right)
    if target.field in _NUMBERS + _EXACT:
        return plain
    folded = exp.NullSafeNEQ(this=exp.func("fold_text", left.copy()), expression=exp.func("fold_text", right.copy()))
    return exp.and_(plain, folded)


def is_of(system: str) -> exp.Expression:
    """The row is this system's."""
    return exp.column("system").eq(exp.Literal.string(system))


def is_readable(entity: str, alias: str | None = None) -> exp.Expression:
    """Nothing is concluded about a system that was not read whole tonight."""
    needs = _NEEDS[entity]
    whole = exp.select("v.system").from_(exp.table_("verdicts", "reads", alias="v"))
    whole = whole.where(exp.column("is_complete", "v"), exp.column("entity", "v").isin(*needs)).group_by("v.system")
    whole = whole.having(exp.Count(this=exp.Distinct(expressions=[exp.column("entity", "v")])).eq(len(needs)))
    return exp.column("system", alias).isin(query=whole)
