-- check: Every record of a system is staged once: two rows of one key would be two truths of one thing.
-- table: reads.verdicts
-- severity: blocking
SELECT i.system, 'items' AS entity, i.vendor_id, '' AS vendor_sub_id
FROM staged.items AS i GROUP BY i.system, i.vendor_id HAVING count(*) > 1
UNION ALL
SELECT p.system, 'prices', p.vendor_id, p.vendor_price_list
FROM staged.prices AS p GROUP BY p.system, p.vendor_id, p.vendor_price_list HAVING count(*) > 1
UNION ALL
SELECT s.system, 'stock', s.vendor_id, s.vendor_location_id
FROM staged.stock AS s GROUP BY s.system, s.vendor_id, s.vendor_location_id HAVING count(*) > 1
UNION ALL
SELECT c.system, 'customers', c.vendor_id, ''
FROM staged.customers AS c GROUP BY c.system, c.vendor_id HAVING count(*) > 1
UNION ALL
SELECT c.system, 'consents', c.vendor_id, c.vendor_audience_id
FROM staged.consents AS c GROUP BY c.system, c.vendor_id, c.vendor_audience_id, c.channel HAVING count(*) > 1
