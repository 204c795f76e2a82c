-- grain: one binding whose record has another SKU than when it was bound, and so has the item everywhere
-- key: system, vendor_id
-- why: a rename is finished once every live record of the item carries the new SKU; only then is the old SKU free again
WITH bound AS (
  SELECT r.system, r.vendor_id, r.item_id, r.sku_norm, r.gtin_norm, r.bound_sku
  FROM reconcile.item_records AS r
  JOIN reconcile.item_matches AS m ON m.system = r.system AND m.vendor_id = r.vendor_id
  WHERE NOT m.is_new
), finished AS (
  SELECT b.item_id, min(b.sku_norm) AS sku_norm
  FROM bound AS b
  GROUP BY b.item_id
  HAVING min(b.sku_norm) = max(b.sku_norm) AND count(b.sku_norm) = count(*) AND bool_or(b.bound_sku IS DISTINCT FROM b.sku_norm)
)
SELECT b.system, b.vendor_id, b.item_id, f.sku_norm, b.gtin_norm
FROM bound AS b
JOIN finished AS f ON f.item_id = b.item_id
WHERE b.bound_sku IS DISTINCT FROM f.sku_norm
