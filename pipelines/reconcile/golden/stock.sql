-- grain: one item at one location
-- key: item_id, location_id
-- why: stock is a counter, not a value to be merged. The laws, every term of which is a column:
--        on_hand   = the authority's on_hand - fulfilled units sold elsewhere that it has not been told of
--        committed = open units sold elsewhere
--        held      = click & collect (none yet)
--        safety    = the location's safety stock; it keeps units back, but never turns a level negative
--        available = on_hand - committed - held - safety
--      The authority is corrected to on_hand, every other system to available. Frozen (no row) where the authority's items
--      or stock, or the orders or movements of a system that sells from the place, were not read whole, or where the level
--      is in quarantine: a missing sale is not a returned one.
WITH deaf AS (
  SELECT DISTINCT l.location_id
  FROM estate.locations AS l
  JOIN estate.stock_rules AS r ON r.location_id = l.location_id
  LEFT JOIN reads.verdicts AS v ON v.system = l.system AND v.is_complete
    AND v.entity IN ('items', 'stock')
  LEFT JOIN reads.verdicts AS w ON w.system = l.system AND NOT w.is_complete AND w.entity IN ('orders', 'movements')
  GROUP BY l.location_id, l.system, r.authority
  HAVING count(DISTINCT w.entity) > 0 OR (l.system = r.authority AND count(DISTINCT v.entity) < 2)
), unseen AS (
  SELECT o.item_id, o.location_id,
    -coalesce(sum(o.quantity) FILTER (o.term = 'fulfilled'), 0) AS fulfilled,
    -coalesce(sum(o.quantity) FILTER (o.term = 'open'), 0) AS open
  FROM reconcile.outstanding AS o
  GROUP BY o.item_id, o.location_id
), terms AS (
  SELECT o.item_id, o.location_id, o.quantity - coalesce(CAST(u.fulfilled AS BIGINT), 0) AS on_hand, o.quantity AS counted,
    coalesce(CAST(u.fulfilled AS BIGINT), 0) AS fulfilled, coalesce(CAST(u.open AS BIGINT), 0) AS committed, CAST(0 AS BIGINT) AS held,
    r.safety_stock AS safety, r.authority
  FROM observed.stock AS o
  JOIN estate.stock_rules AS r ON r.location_id = o.location_id AND r.authority = o.system
  LEFT JOIN unseen AS u ON u.item_id = o.item_id AND u.location_id = o.location_id
  WHERE NOT EXISTS (SELECT 1 FROM deaf AS d WHERE d.location_id = o.location_id)
)
SELECT t.item_id, t.location_id, t.on_hand, t.committed, t.held, t.safety,
  least(t.on_hand - t.committed - t.held, greatest(t.on_hand - t.committed - t.held - t.safety, 0)) AS available, t.authority,
  'stock ledger' AS rule,
  CASE WHEN t.fulfilled = 0 THEN concat(t.authority, ' counts ', t.counted)
    ELSE concat(t.authority, ' counts ', t.counted, ' and has not been told of ', t.fulfilled, ' fulfilled elsewhere') END AS reason
FROM terms AS t
