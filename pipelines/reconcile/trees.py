"""Builds the observed and golden trees of items, prices and stock, what they rest on and the views over them, in order.

The rules are in the SQL beside this file; this module says only in which order, and that movements are remembered
before golden stock counts them. Run after `reconcile_items`.
"""

import duckdb

from pipelines.reconcile.items import quarantine
from pipelines.reconcile.loyalty import record_loyalty
from pipelines.reconcile.models import build_models
from pipelines.reconcile.movements import record_holds, record_movements

FAULTS = "SELECT system, vendor_id, vendor_sub_id, field, reason, value_class FROM reconcile.price_faults"
INCOMPARABLE = (
    "SELECT system, vendor_id, vendor_sub_id, field, reason, value_class FROM reconcile.incomparable_prices"
)


def build_trees(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Build `observed.*` and `golden.*` of items, prices and stock; returns the rows of each table."""
    built = build_models(con, "reconcile.price_faults", "reconcile.unmapped")
    quarantine(con, "prices", FAULTS)
    built |= build_models(
        con, "reconcile.blocked", "reconcile.category_items", "reconcile.hold_records", "reconcile.holds"
    )
    built["ledger.identity.movements"] = record_movements(con)
    built |= build_models(con, "reconcile.movement_log", "reconcile.outstanding")
    built["ledger.identity.hold_events"] = record_holds(con)
    built |= build_models(
        con, "observed.items", "observed.prices", "observed.stock", "golden.items", "golden.prices", "golden.stock",
        "reconcile.incomparable_prices", "golden.availability", "golden.customer_360", "reconcile.assortment",
        "reconcile.assortment_work",
    )
    built |= record_loyalty(con)
    built |= build_models(con, "reconcile.worklist")
    quarantine(con, "prices", f"{FAULTS} UNION ALL {INCOMPARABLE}")
    return built
