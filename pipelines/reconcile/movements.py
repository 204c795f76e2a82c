"""Movements of stock, counted once wherever and however often they are read.

Appends to `ledger.identity.movements` what is seen for the first time, with the night; what the location's authority
already knows of is settled at once (`new_movements.sql` says when). The rest is settled by `pipelines.agree` once the
authority has been told. Run after items are matched: bindings say what was adopted.
"""

import duckdb

from pipelines.reconcile.models import build_models

REMEMBER = """
INSERT INTO ledger.identity.movements (system, movement_id, vendor_id, vendor_location_id, item_id,
location_id, kind, quantity, first_seen_at, first_seen_night, settled_night)
SELECT system, movement_id, vendor_id, vendor_location_id, item_id, location_id, kind, quantity,
first_seen_at, first_seen_night, settled_night FROM reconcile.new_movements
"""


def record_movements(con: duckdb.DuckDBPyConnection) -> int:
    """Remember what is new; returns how many. Run twice, the second time finds nothing new."""
    built = build_models(con, "reconcile.new_movements")
    con.execute(REMEMBER)
    return built["reconcile.new_movements"]
