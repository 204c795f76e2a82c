-- grain: one item at one location
-- key: item_id, location_id
-- why: stock is a counter, not a value to be merged. The laws, every term of which is a column:
--        on_hand   = counted - fulfilled: the authority's on_hand, less units that left by another system and that it
--                    has not been told of
--        committed = open units sold elsewhere
--        held      = units that wait behind the counter to be collected (click & collect)
--        safety    = the units kept back, or as much of them as is there: by the rule of the item's category at the place,
--                    else of its category, else the place's own (pipelines/estate_stock.py); `safety_rule` says which
--        available = on_hand - committed - held - safety
--      The authority is corrected to on_hand, every other system to available, less what is kept back from it alone
--      (compared.stock). Frozen (no row) where the authority's items
--      or stock, or the orders or movements of a system that sells from the place, were not read whole, or where the level
--      or a movement of it is in quarantine (everywhere, where it is not known of which place it is): a missing sale is not a returned one.
WITH deaf AS (
  SELECT DISTINCT l.location_id
  FROM estate.locations AS l
  JOIN estate.stock_rules AS r ON r.location_id = l.location_id
  LEFT JOIN reads.verdicts AS v ON v.system = l.system AND v.is_complete
    AND v.entity IN ('items', 'stock')
  LEFT JOIN reads.verdicts AS w ON w.system = l.system AND NOT w.is_complete AND w.entity IN ('orders', 'movements')
  GROUP BY l.location_id, l.system, r.authority
  HAVING count(DISTINCT w.entity) > 0 OR (l.system = r.authority AND count(DISTINCT v.entity) < 2)
), unread AS (
  SELECT DISTINCT b.item_id, l.location_id
  FROM reconcile.blocked AS b
  JOIN estate.locations AS l ON l.system = b.system AND b.vendor_sub_id IN ('', l.vendor_location_id)
  WHERE b.entity IN ('movements', 'holds')
), unseen AS (
  SELECT o.item_id, o.location_id,
    -coalesce(sum(o.quantity) FILTER (o.term = 'fulfilled'), 0) AS fulfilled,
    -coalesce(sum(o.quantity) FILTER (o.term = 'open'), 0) AS open,
    -coalesce(sum(o.quantity) FILTER (o.term = 'held'), 0) AS held
  FROM reconcile.outstanding AS o
  GROUP BY o.item_id, o.location_id
), terms AS (
  SELECT o.item_id, o.location_id, o.quantity - coalesce(CAST(u.fulfilled AS BIGINT), 0) AS on_hand, o.quantity AS counted,
    coalesce(CAST(u.fulfilled AS BIGINT), 0) AS fulfilled, coalesce(CAST(u.open AS BIGINT), 0) AS committed, coalesce(CAST(u.held AS BIGINT), 0) AS held,
    coalesce(k.units, r.safety_stock) AS safety, r.authority,
    CASE WHEN k.units IS NOT NULL THEN k.rule WHEN r.safety_stock > 0 THEN concat('safety stock of ', r.location_id) END AS safety_rule
  FROM observed.stock AS o
  JOIN estate.stock_rules AS r ON r.location_id = o.location_id AND r.authority = o.system
  LEFT JOIN reconcile.category_items AS c ON c.item_id = o.item_id
  LEFT JOIN estate.safety_rules AS k ON fold_text(k.category) = c.category AND k.location_id = o.location_id
  LEFT JOIN unseen AS u ON u.item_id = o.item_id AND u.location_id = o.location_id
  WHERE NOT EXISTS (SELECT 1 FROM deaf AS d WHERE d.location_id = o.location_id)
    AND NOT EXISTS (SELECT 1 FROM unread AS x WHERE x.item_id = o.item_id AND x.location_id = o.location_id)
), kept AS (
  SELECT t.item_id, t.location_id, t.on_hand, t.counted, t.fulfilled, t.committed, t.held, t.authority, t.safety_rule,
    least(t.safety, greatest(t.on_hand - t.committed - t.held, 0)) AS safety
  FROM terms AS t
)
SELECT k.item_id, k.location_id, k.on_hand, k.committed, k.held, k.safety,
  k.on_hand - k.committed - k.held - k.safety AS available, k.authority, 'stock ledger' AS rule,
  CASE WHEN k.fulfilled = 0 THEN concat(k.authority, ' counts ', k.counted)
    ELSE concat(k.authority, ' counts ', k.counted, ' and has not been told of ', k.fulfilled, ' fulfilled elsewhere') END AS reason,
  k.counted, k.fulfilled, k.safety_rule
FROM kept AS k
