"""Who is one person, by keys alone: the same card, e-mail or phone. Stands in for Splink, whose weights tell no key.

Fills `reconcile.person_pairs` as Splink's part does, with the grades `same`, `other` and `missing` and a probability
of nothing, so that only the deterministic rules of `reconcile.person_links` join.
"""

import duckdb

from pipelines.reconcile.persons_settings import Linkage

_KEYS = ("first_name", "last_name", "birth", "email", "phone", "card", "street", "source")


def score_by_keys(con: duckdb.DuckDBPyConnection, settings: Linkage, filled: frozenset[str]) -> None:
    """Every candidate pair, with which of its keys are the same."""
    grades = ", ".join(
        f"CASE WHEN a.{key} IS NULL OR b.{key} IS NULL THEN 'missing' WHEN a.{key} = b.{key} THEN 'same' "
        f"ELSE 'other' END AS {key}" for key in _KEYS
    )
    con.execute(
        "CREATE OR REPLACE TABLE reconcile.person_pairs AS SELECT p.l, p.r, CAST(0 AS DOUBLE) AS weight, "
        f"CAST(0 AS DOUBLE) AS probability, {grades}, "
        "CASE WHEN a.city = b.city THEN 'city' WHEN a.city IS NULL OR b.city IS NULL THEN 'missing' ELSE 'other' END "
        "AS place FROM reconcile.person_candidates AS p JOIN reconcile.person_features AS a ON a.record_id = p.l "
        "JOIN reconcile.person_features AS b ON b.record_id = p.r"
    )
    con.execute(
        "CREATE OR REPLACE TABLE reconcile.person_weights "
        "(comparison VARCHAR, level VARCHAR, m DOUBLE, u DOUBLE, weight DOUBLE, is_trained BOOLEAN)"
    )
