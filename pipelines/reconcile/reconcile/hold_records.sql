-- grain: one hold as one system shows it tonight, with the hold of another system that it stands for
-- key: system, hold_id
-- why: one order can be shown twice: by the webshop that took it, and by the till that sets the goods aside for it and
--      names it (`reference`). The webshop's leads; the till's is the same units. A reference is believed only where that
--      order has, or is remembered to have had, exactly one hold of the same item at the same place: a bare number may be
--      anybody's. `expired` also by the clock: past the system's own expiry, or the estate's `hold_hours` after it was placed.
WITH shown AS (
  SELECT h.system, h.hold_id, h.order_id, h.reference, b.item_id, l.location_id, r.authority, h.quantity, h.taken, h.placed_at,
    least(h.expires_at, h.placed_at + to_hours(CAST(x.hours AS INTEGER))) AS expires_at, h.updated_at, h.state
  FROM staged.holds AS h
  JOIN reconcile.item_matches AS b ON b.system = h.system AND b.vendor_id = h.vendor_id
  JOIN estate.locations AS l ON l.system = h.system AND l.vendor_location_id = h.vendor_location_id
  JOIN estate.stock_rules AS r ON r.location_id = l.location_id
  LEFT JOIN estate.hold_limits AS x ON x.location_id = l.location_id
), known AS (
  SELECT s.system, s.hold_id, s.order_id, s.item_id, s.location_id FROM shown AS s
  UNION
  SELECT e.system, e.hold_id, e.order_id, e.item_id, e.location_id FROM ledger.identity.hold_events AS e
), led AS (
  SELECT s.system, s.hold_id, min(k.system) AS lead_system, min(k.hold_id) AS lead_id
  FROM shown AS s
  JOIN known AS k ON k.item_id = s.item_id AND k.location_id = s.location_id AND k.system <> s.system
    AND s.reference IN (k.order_id, regexp_extract(k.order_id, '[^/]+$'))
  WHERE s.reference IS NOT NULL
  GROUP BY s.system, s.hold_id
  HAVING count(*) = 1
)
SELECT s.system, s.hold_id, coalesce(d.lead_system, s.system) AS lead_system, coalesce(d.lead_id, s.hold_id) AS lead_id, s.order_id,
  s.item_id, s.location_id, s.authority,
  CASE WHEN s.state = 'placed' AND s.expires_at <= n.as_of THEN 'expired' ELSE s.state END AS state,
  s.quantity, s.taken, s.placed_at, s.expires_at, s.updated_at
FROM shown AS s
CROSS JOIN estate.night AS n
LEFT JOIN led AS d ON d.system = s.system AND d.hold_id = s.hold_id
