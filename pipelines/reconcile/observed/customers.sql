-- grain: one customer record of one system that was read whole tonight, with its person
-- key: system, vendor_id
-- why: what each system holds now. Text is trimmed, its inner white space one blank, its accents composed: that much
--   never counts as a difference. The phone is E.164; a number that cannot be read is no value
SELECT c.system, c.vendor_id, m.person_id,
  nullif(trim(regexp_replace(nfc_normalize(c.first_name), '\s+', ' ', 'g')), '') AS first_name,
  nullif(trim(regexp_replace(nfc_normalize(c.last_name), '\s+', ' ', 'g')), '') AS last_name,
  c.phone_e164 AS phone,
  nullif(trim(regexp_replace(nfc_normalize(c.street), '\s+', ' ', 'g')), '') AS street,
  nullif(trim(regexp_replace(nfc_normalize(c.city), '\s+', ' ', 'g')), '') AS city,
  nullif(trim(regexp_replace(c.postcode, '\s+', ' ', 'g')), '') AS postcode,
  c.loyalty_points, c.country, c.version, c.write_context
FROM staged.customers AS c
JOIN reconcile.person_matches AS m ON m.system = c.system AND m.vendor_id = c.vendor_id AND m.is_auto
JOIN reads.verdicts AS v ON v.system = c.system AND v.entity = 'customers' AND v.is_complete
