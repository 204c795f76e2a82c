-- check: No golden price is above what any single thing costs: a million euros, a hundred million yen.
-- table: golden.prices
-- severity: blocking
SELECT l.system, 'prices' AS entity, g.item_id, g.price_list_id
FROM golden.prices AS g
LEFT JOIN (SELECT DISTINCT e.system, e.price_list_id FROM estate.price_lists AS e) AS l
  ON l.price_list_id = g.price_list_id
WHERE greatest(g.amount, g.compare_at) > price_limit()
