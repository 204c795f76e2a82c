"""Loyalty points as a ledger of events: each counted once, wherever and however often it is read.

Appends to `ledger.identity.loyalty_events` what is seen for the first time; then holds every card's balance against its
events, and finds events that two systems have counted. All of it is told, nothing is corrected. Run after persons are
matched: a card is somebody's.
"""

import duckdb

from pipelines.reconcile.models import build_models

REMEMBER = """
INSERT INTO ledger.identity.loyalty_events (system, event_id, card_id, vendor_customer_id, program_id, kind, points,
order_id, occurred_at, first_seen_at, first_seen_night)
SELECT system, event_id, card_id, vendor_customer_id, program_id, kind, points, order_id, occurred_at, first_seen_at,
first_seen_night FROM reconcile.new_loyalty_events
"""


def record_loyalty(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Remember what is new and look at all of it; returns the rows of each table. Run twice, nothing is new."""
    built = build_models(con, "reconcile.new_loyalty_events")
    con.execute(REMEMBER)
    return built | build_models(con, "reconcile.loyalty_balances", "reconcile.loyalty_twins")
