-- check: Every golden price is in the currency that the estate gives its list.
-- table: golden.prices
-- severity: blocking
SELECT l.system, 'prices' AS entity, g.item_id, g.price_list_id
FROM golden.prices AS g
LEFT JOIN (SELECT DISTINCT e.system, e.price_list_id, e.currency FROM estate.price_lists AS e) AS l
  ON l.price_list_id = g.price_list_id
WHERE g.currency IS DISTINCT FROM l.currency
