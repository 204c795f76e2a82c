-- check: No goods set aside for click & collect have expired or lost their order since the last night: put them back.
-- table: reconcile.outstanding
-- severity: warning
SELECT e.system, 'orders' AS entity, e.order_id, e.item_id, e.location_id, e.event, e.quantity
FROM ledger.identity.hold_events AS e
JOIN estate.night AS n ON n.night_id = e.night_id
WHERE e.event IN ('expired', 'orphaned')
