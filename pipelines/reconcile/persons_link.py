"""Which records are one person: from reconcile.person_records to reconcile.person_clusters, for any set of records.

The night and `benchmarks.linkage` call the same function with the same settings. Knows neither systems nor the ledger:
links of earlier nights come in as reconcile.person_bound, which may be empty.
"""

from functools import partial
from pathlib import Path

import duckdb

from pipelines.reconcile.persons_blocks import build_candidates, filled_features
from pipelines.reconcile.persons_clusters import build_clusters
from pipelines.reconcile.persons_score import score_candidates
from pipelines.reconcile.persons_settings import linkage
from pipelines.sql import Model, build, read_model

FOLDER = Path(__file__).parent / "reconcile"
SCRATCH = ("person_candidates", "person_components", "person_conflicts", "person_eliminations")
MOST_ELIMINATIONS = 3
"""What is joined by elimination leaves fewer records alone, and so more to be joined; what a third time finds is a handful."""


def link_records(con: duckdb.DuckDBPyConnection) -> None:
    """Build features, candidates, scores, links and clusters, one after the other."""
    settings = linkage()
    build(con, model("person_features"))
    filled = filled_features(con)
    build_candidates(con, settings, filled)
    score_candidates(con, settings, filled)
    build(con, model("person_links"))
    find_conflicts = partial(build, con, model("person_conflicts"))
    build_clusters(con, find_conflicts)
    for _ in range(MOST_ELIMINATIONS):
        if not build(con, model("person_eliminations")):
            break
        con.execute(
            "UPDATE reconcile.person_links AS k SET is_auto = true, rule = 'elimination' "
            "FROM reconcile.person_eliminations AS e WHERE e.l = k.l AND e.r = k.r"
        )
        build_clusters(con, find_conflicts)
    for table in SCRATCH:
        con.execute(f"DELETE FROM reconcile.{table}")


def model(table: str) -> Model:
    """The model of `reconcile.<table>`, from its file."""
    return read_model(FOLDER / f"{table}.sql")
