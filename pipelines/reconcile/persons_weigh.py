"""The weight of every candidate pair under tonight's model, and the level of each comparison that it rests on.

Belongs here: the statement from reconcile.person_candidates and person_features to person_pairs. Does not: where the
weights come from (`persons_score`). It adds up what Splink's own prediction adds up, but reads the records where they
stand, looks frequencies up on one side (they count only where both sides are the same), and writes labels, not the
compared values: half the work.
"""

import math
from collections.abc import Sequence

import duckdb
import sqlglot
from sqlglot import exp

from pipelines.reconcile.persons_settings import Comparison, Linkage, Weights

FEATURES = "reconcile.person_features"
ENDS = ("l", "r")


def write_pairs(
    con: duckdb.DuckDBPyConnection, settings: Linkage, comparisons: Sequence[Comparison], weights: Weights, *,
    prior: float, has_frequencies: bool,
) -> None:
    """Fill reconcile.person_pairs: one column per comparison, with the label of the level that holds."""
    rare = {level.frequency for comparison in comparisons for level in comparison.levels} - {""}
    frequencies = sorted(rare) if has_frequencies else []
    parts: list[exp.Expression] = [_double(math.log2(prior / (1 - prior)))]
    for comparison in comparisons:
        parts.append(_by_level(comparison, [_weight(comparison, n, weights) for n in range(len(comparison.levels))]))
        if any(level.frequency in frequencies for level in comparison.levels):
            parts.append(_by_level(comparison, [
                _rarity(level.frequency, weights[comparison.name, level.label][1])
                if level.frequency in frequencies else _double(0.0)
                for level in comparison.levels]))
    weight = parts[0]
    for part in parts[1:]:
        weight = exp.Add(this=weight, expression=part)
    weighed = exp.select("*", exp.alias_(weight, "weight")).from_(_levels(comparisons, frequencies).subquery("levels"))
    used = {comparison.name for comparison in comparisons}
    labels = [
        exp.alias_(
            _by_level(c, [exp.Literal.string(level.label) for level in c.levels]) if c.name in used
            else exp.Literal.string("missing"), c.name)
        for c in settings.comparisons
    ]
    pairs = exp.select("l", "r", "weight", exp.alias_(sqlglot.parse_one(PROBABILITY, dialect="duckdb"), "probability"),
                       *labels)
    pairs = pairs.from_(weighed.subquery("weighed")).where(
        exp.column("weight") >= exp.Literal.number(settings.scoring["from_weight"]))
    con.execute("CREATE OR REPLACE TABLE reconcile.person_pairs AS " + pairs.sql("duckdb"))


PROBABILITY = (
    "CASE WHEN weight >= 0 THEN 1.0 / (1.0 + pow(CAST(2 AS DOUBLE), -weight)) "
    "ELSE pow(CAST(2 AS DOUBLE), weight) / (1.0 + pow(CAST(2 AS DOUBLE), weight)) END"
)


def _levels(comparisons: Sequence[Comparison], frequencies: Sequence[str]) -> exp.Select:
    """Each pair with the place in the list of the level that holds, for every comparison, and the frequencies."""
    numbers = []
    for comparison in comparisons:
        case = exp.Case()
        for number, level in enumerate(comparison.levels):
            place = exp.Literal.number(number)
            if level.when:
                case = case.when(sqlglot.condition(level.when, dialect="duckdb"), place)
            else:
                case = case.else_(place)
        numbers.append(exp.alias_(exp.cast(case, "TINYINT"), f"level_{comparison.name}"))
    names = sorted({column.name for number in numbers for column in number.find_all(exp.Column)})
    values = [exp.alias_(exp.column(name[:-2], table=name[-1]), name) for name in names]
    shares = [exp.column(f"share_{name}") for name in frequencies]
    pair = [exp.column(end, table="c") for end in ENDS]
    paired = exp.select(*pair, *values, *shares).from_("reconcile.person_candidates AS c")
    for end in ENDS:
        paired = paired.join(f"{FEATURES} AS {end}", on=f"{end}.record_id = c.{end}", dialect="duckdb")
    for name in frequencies:
        paired = paired.join(_shares(name).subquery(f"of_{name}"), on=f"of_{name}.{name} = l.{name}", join_type="left")
    return exp.select("l", "r", *numbers, *[share.copy() for share in shares]).from_(paired.subquery("paired"))


def _shares(name: str) -> exp.Select:
    """Each value of a column with its share of the records that have one."""
    value = exp.column(name)
    known = exp.select(exp.func("count", value.copy())).from_(FEATURES).subquery()
    share = exp.Div(this=exp.cast(exp.func("count", exp.Star()), "DOUBLE"), expression=known)
    query = exp.select(value, exp.alias_(share, f"share_{name}")).from_(FEATURES)
    return query.where(value.copy().is_(exp.null()).not_()).group_by(value.copy())


def _by_level(comparison: Comparison, values: Sequence[exp.Expression]) -> exp.Expression:
    case = exp.Case(this=exp.column(f"level_{comparison.name}"))
    for number, value in enumerate(values):
        case = case.when(exp.Literal.number(number), value)
    return case


def _weight(comparison: Comparison, number: int, weights: Weights) -> exp.Expression:
    level = comparison.levels[number]
    if level.m is None:
        return _double(0.0)
    m, u = weights[comparison.name, level.label]
    return _double(math.log2(m / u))


def _rarity(name: str, u: float) -> exp.Expression:
    """How much rarer than the usual value this one is: log2(u) less log2 of its share."""
    return exp.Sub(this=_double(math.log2(u)), expression=exp.func("log2", exp.column(f"share_{name}")))


def _double(value: float) -> exp.Expression:
    """A number that stays a float: DuckDB reads a literal with a point as a decimal."""
    return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
