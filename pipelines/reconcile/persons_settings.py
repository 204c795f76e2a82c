"""The linkage settings of `linkage.toml` as types, and the Splink model made of them.

Belongs here: reading the file, and turning comparisons and weights into Splink's own settings. Does not: any data;
which columns are filled and what training learnt are handed in.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("linkage.toml")
FEATURES = (
    "first_name", "last_name", "name", "initial", "email", "phone", "birth", "street", "city", "postcode", "card",
    "source",
)
"""Columns that blocks and sessions may name; a comparison needs any column it mentions to be filled."""

Weights = Mapping[tuple[str, str], tuple[float, float]]
"""(comparison, level) -> (m, u)."""


@dataclass(frozen=True, slots=True)
class Level:
    """One grade of agreement. No `when`: all the rest. No `m`: nothing can be said."""

    label: str
    when: str = ""
    m: float | None = None
    u: float | None = None
    frequency: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing that two records may agree on, in grades from best to worst."""

    name: str
    levels: tuple[Level, ...]

    @property
    def columns(self) -> frozenset[str]:
        """Features it cannot do without: any of them filled is enough."""
        return {"place": frozenset({"postcode", "city"})}.get(self.name, frozenset({self.name}))

    def label_of(self, value: int) -> str:
        """The level behind Splink's number: -1 is missing, 0 the last level, upward to the best."""
        graded = [level for level in self.levels if level.m is not None]
        return "missing" if value < 0 else graded[len(graded) - 1 - value].label


@dataclass(frozen=True, slots=True)
class Linkage:
    """All of `linkage.toml`."""

    scoring: Mapping[str, float]
    prior: Mapping[str, float]
    training: Mapping[str, Any]
    blocking: Mapping[str, Any]
    comparisons: tuple[Comparison, ...]

    @property
    def default_weights(self) -> Weights:
        """The weights of the file."""
        return {
            (comparison.name, level.label): (level.m, level.u)
            for comparison in self.comparisons
            for level in comparison.levels
            if level.m is not None and level.u is not None
        }

    def usable(self, filled: Collection[str]) -> list[Comparison]:
        """Comparisons of which any column is filled."""
        return [comparison for comparison in self.comparisons if comparison.columns & set(filled)]


@cache
def linkage() -> Linkage:
    """The settings in the repository."""
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    comparisons = tuple(
        Comparison(entry["name"], tuple(Level(**level) for level in entry["levels"])) for entry in read["comparisons"]
    )
    return Linkage(read["scoring"], read["prior"], read["training"], read["blocking"], comparisons)


def splink_settings(comparisons: Collection[Comparison], weights: Weights, *, prior: float) -> dict[str, Any]:
    """A Splink 5 model over reconcile.person_features, to be trained: frequencies count in weighing alone."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_id",
        "probability_two_random_records_match": prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_comparison(comparison, weights) for comparison in comparisons],
    }


def _comparison(comparison: Comparison, weights: Weights) -> dict[str, Any]:
    levels: list[dict[str, Any]] = []
    for level in comparison.levels:
        entry: dict[str, Any] = {"sql_condition": level.when or "ELSE", "label_for_charts": level.label}
        if level.m is None:
            entry["is_null_level"] = True
        else:
            entry["m_probability"], entry["u_probability"] = weights[comparison.name, level.label]
        levels.append(entry)
    return {"output_column_name": comparison.name, "comparison_levels": levels}
