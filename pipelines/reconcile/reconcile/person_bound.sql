-- grain: one record that an earlier night bound to the same person as the person's oldest record
-- key: l, r
-- why: a person stays one when an address changes or a system cannot be read; contradictions still part them
WITH held AS (
  SELECT r.record_id, b.person_id,
    first_value(r.record_id) OVER (PARTITION BY b.person_id ORDER BY b.bound_at, b.system, b.vendor_id) AS oldest
  FROM reconcile.person_records AS r
  JOIN ledger.identity.persons AS b ON b.system = r.source AND b.vendor_id = r.vendor_id
)
SELECT least(record_id, oldest) AS l, greatest(record_id, oldest) AS r
FROM held
WHERE record_id <> oldest
