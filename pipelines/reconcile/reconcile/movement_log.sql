-- grain: one movement of stock that a system has told of, with when we first saw it
-- key: system, movement_id
-- why: a movement counts once, however often it is read; what it means (open, fulfilled, cancelled) is as read tonight.
--      `settled_night` says since when the location's authority knows of it. Units that left do not come back because
--      the record that sold them is deleted: its item is then the one it was when the movement was first seen.
WITH there AS (
  SELECT i.system, i.vendor_id FROM staged.items AS i
  UNION
  SELECT q.system, q.vendor_id FROM staged.quarantine AS q WHERE q.entity = 'items'
)
SELECT m.system, m.movement_id, g.vendor_id, m.vendor_location_id,
  CASE WHEN t.vendor_id IS NULL THEN coalesce(b.item_id, g.item_id) ELSE b.item_id END AS item_id, l.location_id, m.kind,
  m.quantity, m.order_state, m.occurred_at, g.first_seen_at, g.settled_night, r.authority, m.hold_id
FROM staged.movements AS m
JOIN ledger.identity.movements AS g ON g.system = m.system AND g.movement_id = m.movement_id
LEFT JOIN reconcile.item_matches AS b ON b.system = m.system AND b.vendor_id = g.vendor_id
LEFT JOIN there AS t ON t.system = m.system AND t.vendor_id = g.vendor_id
LEFT JOIN estate.locations AS l ON l.system = m.system AND l.vendor_location_id = m.vendor_location_id
LEFT JOIN estate.stock_rules AS r ON r.location_id = l.location_id
