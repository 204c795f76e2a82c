-- grain: one event of a hold that the ledger does not know yet
-- key: system, hold_id, event
-- why: a hold is placed, collected, expired, cancelled or orphaned once, however often it is read: so a released one is
--      listed on one night. `held` is what it takes off what can be sold by itself, where no movement of an order does.
SELECT h.system, h.hold_id, h.order_id, h.item_id, h.location_id, h.state AS event, h.quantity,
  CASE WHEN h.state = 'placed' THEN coalesce(-o.quantity, 0) ELSE 0 END AS held, h.occurred_at, h.reason, n.as_of AS seen_at, n.night_id
FROM reconcile.holds AS h
CROSS JOIN estate.night AS n
LEFT JOIN reconcile.outstanding AS o ON o.system = h.system AND o.movement_id = h.hold_id AND o.is_of_hold_alone
WHERE NOT EXISTS (
  SELECT 1 FROM ledger.identity.hold_events AS e WHERE e.system = h.system AND e.hold_id = h.hold_id AND e.event = h.state)
