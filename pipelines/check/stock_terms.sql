-- check: Every golden level is the sum of its terms: on hand, less committed, held and safety.
-- table: golden.stock
-- severity: blocking
SELECT NULL AS system, 'stock' AS entity, s.item_id, s.location_id
FROM golden.stock AS s
WHERE s.available IS DISTINCT FROM s.on_hand - s.committed - s.held - s.safety
