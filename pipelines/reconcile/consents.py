"""Permissions: what was said is remembered, what holds is decided, and every system's drift from it, before all else.

Reads `staged.consents`, the estate's audiences and the ledger; appends to `ledger.identity.consent_events`; fills
`observed.consents`, `golden.consents` and `reconcile.consent_drift`. Contact points alone are needed: it runs before
persons are linked and survives their failure, and it knows persons as earlier nights bound them. Once they are linked,
what tonight's links add is decided in the same way. The rule is in `golden/consents.sql`, the direction of a change in
`reconcile/consent_drift.sql`.
"""

import duckdb

from pipelines.reconcile.models import build_models

REMEMBER = """
INSERT INTO ledger.identity.consent_events (contact_point, channel, purpose, system, vendor_id, state,
vendor_state, changed_at, seen_at, has_proof, proof, night_id)
SELECT e.contact_point, e.channel, e.purpose, e.system, e.vendor_id, e.state, e.vendor_state, e.changed_at,
e.seen_at, e.has_proof, e.proof, e.night_id FROM reconcile.consent_news AS e
"""


def build_consents(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Remember tonight's events and build the tables; returns their rows. Run again, it remembers nothing twice."""
    built = build_models(con, "reconcile.consent_news")
    con.execute(REMEMBER)
    return built | build_models(con, "observed.consents", "golden.consents", "reconcile.consent_drift")


def reach_consents(con: duckdb.DuckDBPyConnection) -> bool:
    """Decide again over the persons that are linked by now; whether tonight has something to say that it had not."""
    build_models(con, "golden.consents", "reconcile.consent_drift")
    row = con.execute(
        "SELECT count(*) FROM reconcile.consent_drift AS d CROSS JOIN estate.night AS n WHERE NOT EXISTS ("
        "SELECT 1 FROM ledger.sync.corrections AS c JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id "
        "WHERE p.night_id = n.night_id AND p.lane = 'suppression' AND c.system = d.system "
        "AND c.vendor_id = d.vendor_id AND c.vendor_sub_id = coalesce(d.vendor_sub_id, '') "
        "AND c.subject_sub_id = d.subject_sub_id AND c.rule = d.rule AND c.desired = d.desired)"
    ).fetchone()
    return bool(row and row[0])
