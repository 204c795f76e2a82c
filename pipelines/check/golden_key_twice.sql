-- check: Every golden price and stock level exists once.
-- table: golden.prices
-- severity: blocking
SELECT NULL AS system, 'prices' AS entity, p.item_id, p.price_list_id
FROM golden.prices AS p
GROUP BY p.item_id, p.price_list_id
HAVING count(*) > 1
UNION ALL
SELECT NULL, 'stock', s.item_id, s.location_id
FROM golden.stock AS s
GROUP BY s.item_id, s.location_id
HAVING count(*) > 1
