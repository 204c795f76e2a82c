-- grain: one place, price list or audience of a system that the estate does not map
-- key: system, kind, vendor_id
-- why: what is not mapped is read and reported, never written
SELECT s.system, 'location' AS kind, s.vendor_location_id AS vendor_id, count(*) AS row_count
FROM staged.stock AS s
WHERE NOT EXISTS (
  SELECT 1 FROM estate.locations AS l WHERE l.system = s.system AND l.vendor_location_id = s.vendor_location_id)
GROUP BY s.system, s.vendor_location_id
UNION ALL
SELECT p.system, 'price list', p.vendor_price_list, count(*)
FROM staged.prices AS p
WHERE NOT EXISTS (
  SELECT 1 FROM estate.price_lists AS l WHERE l.system = p.system AND l.vendor_price_list = p.vendor_price_list)
GROUP BY p.system, p.vendor_price_list
UNION ALL
SELECT c.system, 'audience', c.vendor_audience_id, count(*)
FROM staged.consents AS c
WHERE NOT EXISTS (
  SELECT 1 FROM estate.audiences AS a WHERE a.system = c.system AND a.vendor_audience_id = c.vendor_audience_id)
GROUP BY c.system, c.vendor_audience_id
