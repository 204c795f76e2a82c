"""Movements of stock and holds, counted once wherever and however often they are read.

Appends to `ledger.identity.movements` what is seen for the first time, with the night; what the location's authority
already knows of is settled at once (`new_movements.sql` says when). The rest is settled by `pipelines.agree` once the
authority is proven to have been told, or here where its own log shows it (`logged.sql`). Run after items are matched:
bindings say what was adopted. Holds of click & collect are remembered as events, each once (`hold_news.sql`).
"""

import duckdb

from pipelines.reconcile.models import build_models

REMEMBER = """
INSERT INTO ledger.identity.movements (system, movement_id, vendor_id, vendor_location_id, item_id,
location_id, kind, quantity, first_seen_at, first_seen_night, settled_night)
SELECT system, movement_id, vendor_id, vendor_location_id, item_id, location_id, kind, quantity,
first_seen_at, first_seen_night, settled_night FROM reconcile.new_movements
"""

LOGGED = """
UPDATE ledger.identity.movements AS m SET settled_night = (SELECT n.night_id FROM estate.night AS n)
FROM reconcile.logged AS t WHERE m.system = t.system AND m.movement_id = t.movement_id
"""

RETURNED = """
UPDATE ledger.identity.movements AS m SET settled_night = (SELECT n.night_id FROM estate.night AS n),
settled_by = t.settled_by
FROM reconcile.returned AS t WHERE m.system = t.system AND m.movement_id = t.movement_id
"""

HOLD_EVENTS = """
INSERT INTO ledger.identity.hold_events (system, hold_id, order_id, item_id, location_id, event, quantity, held,
occurred_at, reason, seen_at, night_id)
SELECT system, hold_id, order_id, item_id, location_id, event, quantity, held, occurred_at, reason, seen_at, night_id
FROM reconcile.hold_news
"""


def record_movements(con: duckdb.DuckDBPyConnection) -> int:
    """Remember what is new and what the authority shows that it knows; returns how many are new.

    Run twice, the second time finds nothing new.
    """
    built = build_models(con, "reconcile.new_movements")
    con.execute(REMEMBER)
    build_models(con, "reconcile.logged")  # tonight's counts among them
    con.execute(LOGGED)
    build_models(con, "reconcile.returned")
    con.execute(RETURNED)
    return built["reconcile.new_movements"]


def record_holds(con: duckdb.DuckDBPyConnection) -> int:
    """Remember what has become of goods set aside for collection; returns how many events are new.

    Run after `reconcile.holds` and `reconcile.outstanding`. Run twice, the second time finds nothing new.
    """
    built = build_models(con, "reconcile.hold_news")
    con.execute(HOLD_EVENTS)
    return built["reconcile.hold_news"]
