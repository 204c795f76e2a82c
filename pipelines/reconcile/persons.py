"""Who is who among customers: records of all systems to persons, their stable ids, and the customers' two trees.

Reads `staged.customers`, `policy.sources`, `reads.verdicts` and the bindings; fills `reconcile.person_*`,
`observed.customers` and `golden.customers`; keeps bindings and history in `ledger.identity.persons` and
`person_history`. How records are linked is `persons_link`; the rules of ids and survivorship are in the SQL.
"""

import duckdb

from pipelines.reconcile.models import build_models
from pipelines.reconcile.persons_link import link_records

HISTORY = """
INSERT INTO ledger.identity.person_history (person_id, event, other_person_id, "at", night_id, reason)
SELECT e.person_id, e.event, e.other_person_id, n.as_of, n.night_id, e.reason
FROM reconcile.person_events AS e CROSS JOIN estate.night AS n
"""
BINDINGS = """
MERGE INTO ledger.identity.persons AS p USING reconcile.person_bindings AS b
ON p.system = b.system AND p.vendor_id = b.vendor_id
WHEN MATCHED THEN UPDATE SET person_id = b.person_id, rule = b.rule, score = b.score,
bound_at = b.bound_at, night_id = b.night_id
WHEN NOT MATCHED THEN INSERT (system, vendor_id, person_id, rule, score, bound_at, night_id)
VALUES (b.system, b.vendor_id, b.person_id, b.rule, b.score, b.bound_at, b.night_id)
"""


def reconcile_persons(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Link, name and remember every person, then build the trees; returns the rows of each table built.

    May be run again in the same night: same persons, nothing new in the ledger.
    """
    built = build_models(con, "reconcile.person_records", "reconcile.person_bound")
    link_records(con)
    built |= build_models(con, "reconcile.person_ids", "reconcile.person_matches")
    built |= build_models(con, "reconcile.person_bindings", "reconcile.person_events", "reconcile.person_reviews")
    _remember(con)
    return built | build_models(con, "reconcile.person_gaps", "observed.customers", "golden.customers")


def _remember(con: duckdb.DuckDBPyConnection) -> None:
    """Bindings and history go to the ledger together or not at all."""
    con.execute("BEGIN")
    try:
        con.execute(HISTORY)
        con.execute(BINDINGS)
        con.execute("COMMIT")
    except duckdb.Error:
        con.execute("ROLLBACK")
        raise
