-- grain: one movement seen for the first time tonight, as it is to be remembered
-- key: system, movement_id
-- why: the authority knows of its own movements, so these are settled at once; so are those at a place without an
--      authority or of an item that the authority does not hold. What was sold and delivered before the item was first
--      bound in the authority is settled too: its level on that day is taken as including it (adoption). What is left is
--      what the authority must still be told of. A movement of a record that was deleted before it was ever read is of
--      nothing that we know.
WITH bound AS (
  SELECT b.system, b.vendor_id, arg_max(b.item_id, b.bound_at) AS item_id, min(b.bound_at) AS bound_at
  FROM ledger.identity.items AS b
  GROUP BY b.system, b.vendor_id
), adopted AS (
  SELECT b.system, b.item_id, max(b.bound_at) AS bound_at FROM bound AS b GROUP BY b.system, b.item_id
)
SELECT m.system, m.movement_id, m.vendor_id, m.vendor_location_id, b.item_id, l.location_id, m.kind, m.quantity,
  n.as_of AS first_seen_at, n.night_id AS first_seen_night,
  CASE
    WHEN coalesce(r.authority = m.system, true) OR a.item_id IS NULL THEN n.night_id
    WHEN m.order_state IS DISTINCT FROM 'open' AND m.occurred_at <= a.bound_at THEN n.night_id
  END AS settled_night
FROM staged.movements AS m
CROSS JOIN estate.night AS n
LEFT JOIN bound AS b ON b.system = m.system AND b.vendor_id = m.vendor_id
LEFT JOIN estate.locations AS l ON l.system = m.system AND l.vendor_location_id = m.vendor_location_id
LEFT JOIN estate.stock_rules AS r ON r.location_id = l.location_id
LEFT JOIN adopted AS a ON a.system = r.authority AND a.item_id = b.item_id
WHERE m.vendor_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM ledger.identity.movements AS g WHERE g.system = m.system AND g.movement_id = m.movement_id)
