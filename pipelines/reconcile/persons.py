"""Who is who among customers: records of all systems to persons, their stable ids, and the customers' two trees.

Reads `staged.customers`, `policy.sources`, `reads.verdicts`, the bindings and what people have parted; fills
`reconcile.person_*`, `observed.customers` and `golden.customers`; keeps bindings, moves and history in
`ledger.identity.persons`, `person_moves` and `person_history`. How records are linked is `persons_link`; the rules of
ids and survivorship are in the SQL.
"""

import duckdb

from pipelines.ledger.plans import transaction
from pipelines.reconcile.models import build_models
from pipelines.reconcile.persons_link import Score, link_records

HISTORY = """
INSERT INTO ledger.identity.person_history (person_id, event, other_person_id, "at", night_id, reason, author)
SELECT e.person_id, e.event, e.other_person_id, n.as_of, n.night_id, e.reason, e.author
FROM reconcile.person_events AS e CROSS JOIN estate.night AS n
"""
MOVES = """
INSERT INTO ledger.identity.person_moves (system, vendor_id, person_id, old_person_id, "at", night_id)
SELECT b.system, b.vendor_id, b.person_id, b.old_person_id, n.as_of, n.night_id
FROM reconcile.person_bindings AS b CROSS JOIN estate.night AS n
WHERE b.old_person_id <> b.person_id
"""
BINDINGS = """
MERGE INTO ledger.identity.persons AS p USING reconcile.person_bindings AS b
ON p.system = b.system AND p.vendor_id = b.vendor_id
WHEN MATCHED THEN UPDATE SET person_id = b.person_id, rule = b.rule, score = b.score,
bound_at = b.bound_at, night_id = b.night_id
WHEN NOT MATCHED THEN INSERT (system, vendor_id, person_id, rule, score, bound_at, night_id)
VALUES (b.system, b.vendor_id, b.person_id, b.rule, b.score, b.bound_at, b.night_id)
"""


def reconcile_persons(con: duckdb.DuckDBPyConnection, *, score: Score | None = None) -> dict[str, int]:
    """Link, name and remember every person, then build the trees; returns the rows of each table built.

    May be run again in the same night: same persons, nothing new in the ledger. `score`: as in `link_records`.
    """
    built = build_models(con, "reconcile.person_records", "reconcile.person_parted", "reconcile.person_apart")
    built |= build_models(con, "reconcile.person_bound")
    link_records(con, score=score)
    built |= build_models(con, "reconcile.person_ids", "reconcile.person_matches")
    built |= build_models(con, "reconcile.person_bindings", "reconcile.person_events", "reconcile.person_reviews")
    _remember(con)
    built |= build_models(con, "reconcile.person_gaps", "observed.customers", "reconcile.person_written")
    return built | build_models(con, "golden.customers", "reconcile.person_undo")


def _remember(con: duckdb.DuckDBPyConnection) -> None:
    """Bindings and history go to the ledger together or not at all."""
    with transaction(con):
        con.execute(HISTORY)
        con.execute(MOVES)
        con.execute(BINDINGS)
