-- grain: one record of a variant that cannot be told to be one item, with what would settle it
-- key: system, vendor_id
-- why: an ambiguous key is kept out on both sides, and whoever mends it must know of the other side: each reason comes with
--      the records that stand against it and the way out. Nothing here is done by a sync.
WITH faults AS (
  SELECT r.system, r.vendor_id, r.fault AS reason FROM reconcile.item_records AS r WHERE r.fault IS NOT NULL
  UNION ALL
  SELECT c.system, c.vendor_id, c.fault FROM reconcile.item_claims AS c WHERE c.fault IS NOT NULL
), keys AS (
  SELECT r.system, r.vendor_id, r.item_id, r.sku_norm, r.gtin_norm, r.bound_sku, concat(r.system, ' ', r.vendor_id) AS name
  FROM reconcile.item_records AS r
), twins AS (
  SELECT x.kind, x.value, string_agg(x.name, ', ' ORDER BY x.name) AS names, min(x.name) FILTER (x.had_it) AS keeper
  FROM (
    SELECT 'sku' AS kind, k.sku_norm AS value, k.name, k.bound_sku = k.sku_norm AS had_it
    FROM keys AS k WHERE k.sku_norm IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY k.system, k.sku_norm) > 1
    UNION ALL
    SELECT 'gtin', k.gtin_norm, k.name, k.item_id IS NOT NULL
    FROM keys AS k WHERE k.gtin_norm IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY k.system, k.gtin_norm) > 1
  ) AS x
  GROUP BY x.kind, x.value
), claims AS (
  SELECT c.item_id, c.system, string_agg(c.vendor_id, ', ' ORDER BY c.vendor_id) AS vendor_ids
  FROM reconcile.item_claims AS c
  WHERE c.fault IS NOT NULL
  GROUP BY c.item_id, c.system
), holders AS (
  SELECT x.kind, x.value, string_agg(x.name, ', ' ORDER BY x.name) AS names
  FROM (
    SELECT 'sku' AS kind, k.sku_norm AS value, k.name FROM keys AS k WHERE k.item_id IS NOT NULL AND k.bound_sku IS NOT DISTINCT FROM k.sku_norm
    UNION ALL
    SELECT 'gtin', k.gtin_norm, k.name FROM keys AS k WHERE k.item_id IS NOT NULL
  ) AS x
  GROUP BY x.kind, x.value
), moves AS (
  SELECT k.system, k.vendor_id AS former_id, t.vendor_id AS taker_id, k.bound_sku AS sku
  FROM keys AS k
  JOIN keys AS t ON t.system = k.system AND t.sku_norm = k.bound_sku AND t.vendor_id <> k.vendor_id
  WHERE k.sku_norm IS DISTINCT FROM k.bound_sku
), moved AS (
  SELECT v.system, v.vendor_id, min(v.words) AS words
  FROM (
    SELECT m.system, m.former_id AS vendor_id, concat('give the SKU ', m.sku, ' back to ', m.former_id, ', or archive ', m.former_id,
      ' if ', m.taker_id, ' takes its place') AS words
    FROM moves AS m
    UNION ALL
    SELECT m.system, m.taker_id, concat('give the SKU ', m.sku, ' back to ', m.former_id, ', or archive ', m.former_id, ' if ',
      m.taker_id, ' takes its place')
    FROM moves AS m
  ) AS v
  GROUP BY v.system, v.vendor_id
)
SELECT f.system, f.vendor_id, k.sku_norm AS sku, f.reason,
  CASE
    WHEN starts_with(f.reason, 'SKU is on more than one') THEN concat('let one keep the SKU and give the others one of their own: ', s.names,
      CASE WHEN s.keeper IS NOT NULL THEN concat('; ', s.keeper, ' had it first') ELSE '' END)
    WHEN starts_with(f.reason, 'GTIN is on more than one') THEN concat('let one keep the GTIN and correct it on the others: ', g.names,
      CASE WHEN g.keeper IS NOT NULL THEN concat('; ', g.keeper, ' had it first') ELSE '' END)
    WHEN starts_with(f.reason, 'its former SKU') OR starts_with(f.reason, 'its SKU was bound') THEN m.words
    WHEN starts_with(f.reason, 'its new SKU') THEN concat('give it back the SKU ', k.bound_sku, ', or let it be the only one with its new SKU, which is that of ', hs.names)
    WHEN starts_with(f.reason, 'archived') THEN 'nothing to do: the live record stands for the item; delete this one to be rid of the notice'
    WHEN starts_with(f.reason, 'neither SKU') THEN 'enter its SKU, or its GTIN'
    WHEN starts_with(f.reason, 'its GTIN names one') THEN concat_ws('; ', 'correct the one that is wrong', 'its GTIN is that of ' || hg.names,
      'its SKU is that of ' || hs.names)
    WHEN starts_with(f.reason, 'its GTIN already') THEN concat_ws('; ', 'correct the GTIN where it is wrong', hg.names)
    WHEN starts_with(f.reason, 'its SKU already') THEN concat_ws('; ', 'correct the SKU where it is wrong', hs.names)
    WHEN starts_with(f.reason, 'its SKU was that') THEN
      'give it a SKU of its own; if it is the same article, clear its GTIN for one night: it is then bound by its SKU'
    WHEN starts_with(f.reason, 'claims an item') THEN concat('archive or delete all but one of ', l.vendor_ids)
  END AS suggestion
FROM faults AS f
LEFT JOIN keys AS k ON k.system = f.system AND k.vendor_id = f.vendor_id
LEFT JOIN reconcile.item_claims AS c ON c.system = f.system AND c.vendor_id = f.vendor_id
LEFT JOIN twins AS s ON s.kind = 'sku' AND s.value = k.sku_norm
LEFT JOIN twins AS g ON g.kind = 'gtin' AND g.value = k.gtin_norm
LEFT JOIN holders AS hs ON hs.kind = 'sku' AND hs.value = k.sku_norm
LEFT JOIN holders AS hg ON hg.kind = 'gtin' AND hg.value = k.gtin_norm
LEFT JOIN moved AS m ON m.system = f.system AND m.vendor_id = f.vendor_id
LEFT JOIN claims AS l ON l.system = f.system AND l.item_id = c.item_id
