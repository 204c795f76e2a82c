-- check: No value of a system has two bases: who moved is told by one.
-- table: reconcile.drift
-- severity: blocking
SELECT i.system, 'items' AS entity, i.vendor_id, '' AS vendor_sub_id
FROM ledger.agreed.items AS i GROUP BY i.system, i.vendor_id HAVING count(*) > 1
UNION ALL
SELECT p.system, 'prices', p.vendor_id, p.vendor_price_list
FROM ledger.agreed.prices AS p GROUP BY p.system, p.vendor_id, p.vendor_price_list HAVING count(*) > 1
UNION ALL
SELECT s.system, 'stock', s.vendor_id, s.vendor_location_id
FROM ledger.agreed.stock AS s GROUP BY s.system, s.vendor_id, s.vendor_location_id HAVING count(*) > 1
UNION ALL
SELECT c.system, 'customers', c.vendor_id, ''
FROM ledger.agreed.customers AS c GROUP BY c.system, c.vendor_id HAVING count(*) > 1
UNION ALL
SELECT c.system, 'consents', c.vendor_id, c.vendor_audience_id
FROM ledger.agreed.consents AS c
GROUP BY c.system, c.vendor_id, c.vendor_audience_id, c.channel, c.purpose HAVING count(*) > 1
