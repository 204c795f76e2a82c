-- grain: one live record of a sellable variant in one system, with its keys, its binding and what is wrong with it
-- key: system, vendor_id
-- why: identity is settled before any value is compared: a key that two records of one system share is nobody's key, on
--      either side, and a SKU that moved to another record while its old holder lives is a conflict, not an update.
--      An archived record holds no key against a live one. A record whose keys are all others than when it was bound,
--      and no other system's of the item are, is another article under an id that is used again.
WITH bound AS (
  SELECT b.system, b.vendor_id, b.item_id, b.sku_norm, b.gtin_norm
  FROM ledger.identity.items AS b
  QUALIFY row_number() OVER (PARTITION BY b.system, b.vendor_id ORDER BY b.bound_at DESC, b.item_id) = 1
), records AS (
  SELECT i.system, i.vendor_id, i.sku_norm, i.gtin_norm, coalesce(i.status = 'archived', false) AS is_archived,
    b.item_id, b.sku_norm AS bound_sku, b.gtin_norm AS bound_gtin, coalesce(s.rank, 1000) AS rank
  FROM staged.items AS i
  LEFT JOIN bound AS b ON b.system = i.system AND b.vendor_id = i.vendor_id
  LEFT JOIN policy.sources AS s ON s.system = i.system AND s.entity = 'items' AND s.field = 'gtin'
), sku_counts AS (
  SELECT r.system, r.sku_norm, count(*) FILTER (NOT r.is_archived) AS live_count
  FROM records AS r WHERE r.sku_norm IS NOT NULL
  GROUP BY r.system, r.sku_norm HAVING count(*) > 1
), gtin_counts AS (
  SELECT r.system, r.gtin_norm, count(*) FILTER (NOT r.is_archived) AS live_count
  FROM records AS r WHERE r.gtin_norm IS NOT NULL
  GROUP BY r.system, r.gtin_norm HAVING count(*) > 1
), shared_skus AS (
  SELECT c.sku_norm, string_agg(c.system, ', ' ORDER BY c.system) AS systems
  FROM sku_counts AS c WHERE c.live_count <> 1 GROUP BY c.sku_norm
), shared_gtins AS (
  SELECT c.gtin_norm, string_agg(c.system, ', ' ORDER BY c.system) AS systems
  FROM gtin_counts AS c WHERE c.live_count <> 1 GROUP BY c.gtin_norm
), renamed AS (
  SELECT r.system, r.vendor_id, r.item_id, r.bound_sku, r.sku_norm, r.gtin_norm, r.bound_gtin
  FROM records AS r
  WHERE r.item_id IS NOT NULL AND NOT r.is_archived AND r.sku_norm <> r.bound_sku
), moved AS (
  SELECT v.system, v.vendor_id, 'its former SKU is now on another record of the same system' AS reason
  FROM renamed AS v
  JOIN records AS r ON r.system = v.system AND r.sku_norm = v.bound_sku AND NOT r.is_archived
  UNION
  SELECT r.system, r.vendor_id, 'its SKU was bound to another record of the same system, which is still there'
  FROM renamed AS v
  JOIN records AS r ON r.system = v.system AND r.sku_norm = v.bound_sku AND NOT r.is_archived
  UNION
  SELECT v.system, v.vendor_id, 'its new SKU belongs to another item'
  FROM renamed AS v
  JOIN records AS o ON o.bound_sku = v.sku_norm AND o.item_id <> v.item_id AND NOT o.is_archived
  UNION
  SELECT v.system, v.vendor_id, 'its SKU and its GTIN are others than when it was bound: its id seems to be another article''s now'
  FROM renamed AS v
  LEFT JOIN records AS o ON o.item_id = v.item_id AND o.system <> v.system
  GROUP BY v.system, v.vendor_id
  HAVING coalesce(bool_or(v.gtin_norm <> v.bound_gtin OR o.gtin_norm <> v.gtin_norm), false)
    AND NOT coalesce(bool_or(o.sku_norm = v.sku_norm OR o.gtin_norm = v.gtin_norm), false)
), conflicts AS (
  SELECT m.system, m.vendor_id, min(m.reason) AS reason FROM moved AS m GROUP BY m.system, m.vendor_id
)
SELECT r.system, r.vendor_id, r.rank, r.sku_norm, r.gtin_norm, r.is_archived, r.item_id, r.bound_sku,
  CASE
    WHEN s.sku_norm IS NOT NULL OR c.reason IS NOT NULL OR (ts.live_count = 1 AND r.is_archived AND r.item_id IS NULL)
      OR (r.item_id IS NULL AND r.sku_norm IS NULL AND r.gtin_norm IS NULL) THEN 'sku'
    WHEN r.item_id IS NULL AND (g.gtin_norm IS NOT NULL OR (tg.live_count = 1 AND r.is_archived)) THEN 'gtin'
  END AS fault_field,
  CASE
    WHEN s.sku_norm IS NOT NULL THEN concat('SKU is on more than one record of ', s.systems)
    WHEN c.reason IS NOT NULL THEN c.reason
    WHEN ts.live_count = 1 AND r.is_archived AND r.item_id IS NULL THEN 'archived, and its SKU lives on in another record'
    WHEN r.item_id IS NULL AND r.sku_norm IS NULL AND r.gtin_norm IS NULL THEN 'neither SKU nor GTIN, so it matches nothing'
    WHEN r.item_id IS NULL AND g.gtin_norm IS NOT NULL THEN concat('GTIN is on more than one record of ', g.systems)
    WHEN r.item_id IS NULL AND tg.live_count = 1 AND r.is_archived THEN 'archived, and its GTIN lives on in another record'
  END AS fault
FROM records AS r
LEFT JOIN shared_skus AS s ON s.sku_norm = r.sku_norm
LEFT JOIN shared_gtins AS g ON g.gtin_norm = r.gtin_norm
LEFT JOIN sku_counts AS ts ON ts.system = r.system AND ts.sku_norm = r.sku_norm
LEFT JOIN gtin_counts AS tg ON tg.system = r.system AND tg.gtin_norm = r.gtin_norm
LEFT JOIN conflicts AS c ON c.system = r.system AND c.vendor_id = r.vendor_id
