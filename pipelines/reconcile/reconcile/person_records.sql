-- grain: one customer record of one system
-- key: record_id
-- why: the one table that linkage knows; its numbers follow (system, vendor id), so that the order of reading changes nothing
WITH numbered AS (
  SELECT c.system, c.vendor_id, row_number() OVER (ORDER BY c.system, c.vendor_id) AS record_id
  FROM staged.customers AS c
  JOIN estate.systems AS s ON s.system = c.system
)
SELECT n.record_id, c.system AS source, c.vendor_id, c.first_name, c.last_name, CAST(NULL AS VARCHAR) AS full_name,
  coalesce(c.email_norm, c.email) AS email, coalesce(c.phone_e164, c.phone) AS phone,
  CAST(c.birth_date AS VARCHAR) AS birth_date, c.street, c.city, c.postcode, c.country, c.card
FROM staged.customers AS c
JOIN numbered AS n ON n.system = c.system AND n.vendor_id = c.vendor_id
