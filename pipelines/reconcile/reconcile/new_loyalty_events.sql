-- grain: one event of points seen for the first time tonight, as it is to be remembered
-- key: system, event_id
-- why: an event counts once, however often it is read, and also when its vendor shows it no more; whose card it was is
--      kept with it, for a card may be gone later
SELECT e.system, e.vendor_id AS event_id, e.card_id, coalesce(e.vendor_customer_id, c.vendor_customer_id) AS vendor_customer_id,
  coalesce(e.program_id, c.program_id) AS program_id, e.kind, e.points, e.order_id, e.occurred_at, n.as_of AS first_seen_at,
  n.night_id AS first_seen_night
FROM staged.loyalty_events AS e
CROSS JOIN estate.night AS n
LEFT JOIN staged.loyalty_cards AS c ON c.system = e.system AND c.vendor_id = e.card_id
WHERE NOT EXISTS (
  SELECT 1 FROM ledger.identity.loyalty_events AS g WHERE g.system = e.system AND g.event_id = e.vendor_id)
