-- check: Every staged record has the vendor's id, and every price and level its list or place.
-- table: reads.verdicts
-- severity: blocking
SELECT i.system, 'items' AS entity, i.parent_id AS near
FROM staged.items AS i WHERE coalesce(i.vendor_id, '') = ''
UNION ALL
SELECT p.system, 'prices', p.vendor_id
FROM staged.prices AS p WHERE coalesce(p.vendor_id, '') = '' OR coalesce(p.vendor_price_list, '') = ''
UNION ALL
SELECT s.system, 'stock', s.vendor_id
FROM staged.stock AS s WHERE coalesce(s.vendor_id, '') = '' OR coalesce(s.vendor_location_id, '') = ''
UNION ALL
SELECT c.system, 'customers', NULL
FROM staged.customers AS c WHERE coalesce(c.vendor_id, '') = ''
UNION ALL
SELECT c.system, 'consents', NULL
FROM staged.consents AS c WHERE coalesce(c.vendor_id, '') = '' OR coalesce(c.vendor_audience_id, '') = ''
