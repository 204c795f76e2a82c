-- check: No price that we would write or that a system holds is negative.
-- table: observed.prices
-- severity: blocking
SELECT p.system, 'prices' AS entity, p.vendor_id, p.vendor_price_list
FROM observed.prices AS p
WHERE p.amount < 0
UNION ALL
SELECT l.system, 'prices', g.item_id, g.price_list_id
FROM golden.prices AS g
LEFT JOIN (SELECT DISTINCT e.system, e.price_list_id FROM estate.price_lists AS e) AS l
  ON l.price_list_id = g.price_list_id
WHERE g.amount < 0
