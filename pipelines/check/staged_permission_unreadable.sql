-- check: A staged permission is yes, no, pending or unknown, and its contact point a keyed hash, never an address.
-- table: reads.verdicts
-- severity: blocking
SELECT c.system, 'consents' AS entity, c.vendor_audience_id
FROM staged.consents AS c
WHERE coalesce(c.state, '') NOT IN ('yes', 'no', 'pending', 'unknown')
  OR (c.contact_point IS NOT NULL AND NOT regexp_full_match(c.contact_point, '[0-9a-f]{64}'))
