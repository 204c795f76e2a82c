-- grain: one "was" price that a system shows above the lowest price of the days before its reduction; at most 200, the furthest
--        above first. Where the history is too short to tell: one row per system, without an item
-- why: the work list of whoever answers for the prices
WITH numbered AS (
  SELECT CAST(item_id AS VARCHAR) AS item_id, min(sku) AS sku FROM golden.items GROUP BY item_id
), flagged AS (
  SELECT p.system, p.vendor_id, n.sku, p.price_list_id, p.reason, 1 AS row_count, p.was * 1.0 / nullif(p.lowest, 0) AS ratio,
    count(*) OVER () AS total
  FROM reconcile.prior_prices AS p
  LEFT JOIN numbered AS n ON n.item_id = p.item_id
  WHERE NOT p.is_planned AND p.finding = 'above the lowest'
  QUALIFY row_number() OVER (ORDER BY ratio DESC, p.system, p.vendor_id, p.vendor_price_list) <= 200
)
SELECT f.system, coalesce(f.sku, f.vendor_id) AS item, f.price_list_id, f.reason, f.row_count, f.total
FROM flagged AS f CROSS JOIN (SELECT $night_id AS night_id) AS asked
UNION ALL
SELECT p.system, NULL, NULL, NULL, count(*), 0
FROM reconcile.prior_prices AS p WHERE NOT p.is_planned AND p.finding = 'history too short'
GROUP BY p.system
ORDER BY ALL NULLS LAST
