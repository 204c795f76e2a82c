"""Which records are one person: from reconcile.person_records to reconcile.person_clusters, for any set of records.

The night and `benchmarks.linkage` call the same function with the same settings. Knows neither systems nor the ledger:
links of earlier nights come in as reconcile.person_bound, pairs that a person has parted as reconcile.person_apart;
both may be empty.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from pipelines.reconcile.persons_blocks import build_candidates, filled_features, one_number
from pipelines.reconcile.persons_clusters import build_clusters, join_eliminated
from pipelines.reconcile.persons_score import score_candidates
from pipelines.reconcile.persons_settings import Linkage, linkage
from pipelines.sql import Model, build, read_model

FOLDER = Path(__file__).parent / "reconcile"
SCRATCH = ("person_candidates", "person_components", "person_conflicts", "person_eliminations")
MOST_ELIMINATIONS = 3
WORTH_ANOTHER = 0.01
"""What is joined by elimination leaves fewer records alone, so that more can be: another look is worth it where the
last one joined so many of all records."""


Score = Callable[[duckdb.DuckDBPyConnection, Linkage, frozenset[str]], None]
"""What fills reconcile.person_pairs and person_weights from the candidates, given the features that are filled."""


def link_records(con: duckdb.DuckDBPyConnection, *, score: Score | None = None) -> None:
    """Build features, candidates, scores, links and clusters, one after the other. `score`: None is Splink's."""
    settings = linkage()
    build(con, model("person_features"))
    filled = filled_features(con)
    build_candidates(con, settings, filled)
    (score or score_candidates)(con, settings, filled)
    build(con, model("person_links"))
    build_clusters(con, partial(build, con, model("person_conflicts")))
    records = one_number(con, "SELECT count(*) FROM reconcile.person_features")
    for _ in range(MOST_ELIMINATIONS):
        found = build(con, model("person_eliminations"))
        if found:
            join_eliminated(con)
        if found <= records * WORTH_ANOTHER:
            break
    for table in SCRATCH:
        con.execute(f"DELETE FROM reconcile.{table}")


def model(table: str) -> Model:
    """The model of `reconcile.<table>`, from its file."""
    return read_model(FOLDER / f"{table}.sql")
