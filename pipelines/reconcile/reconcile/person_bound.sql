-- grain: one record that an earlier night bound to the same person as the person's oldest record
-- key: l
-- why: a person stays one when an address changes or a system cannot be read; contradictions still part them. `is_weighed`:
--   the record itself was joined by elimination, so that what its name or its birth date says has been weighed. An oldest
--   record that was so joined has a row of its own, for that alone. A record that somebody has parted from the oldest
--   stays with the oldest of those that it was not parted from
WITH held AS (
  SELECT r.record_id, b.person_id, b.rule, b.bound_at, b.system, b.vendor_id
  FROM reconcile.person_records AS r
  JOIN ledger.identity.persons AS b ON b.system = r.source AND b.vendor_id = r.vendor_id
), oldest AS (
  SELECT record_id, person_id
  FROM held
  QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY bound_at, system, vendor_id) = 1
), parted AS (
  SELECT l AS record_id, r AS other_id FROM reconcile.person_apart
  UNION ALL
  SELECT r, l FROM reconcile.person_apart
), own AS (
  SELECT h.record_id, o.record_id AS oldest_id
  FROM held AS h
  SEMI JOIN parted AS p ON p.record_id = h.record_id
  JOIN held AS o ON o.person_id = h.person_id
  ANTI JOIN parted AS x ON x.record_id = h.record_id AND x.other_id = o.record_id
  QUALIFY row_number() OVER (PARTITION BY h.record_id ORDER BY o.bound_at, o.system, o.vendor_id) = 1
)
SELECT h.record_id AS l, coalesce(w.oldest_id, o.record_id) AS r, h.rule = 'elimination' AS is_weighed
FROM held AS h
JOIN oldest AS o ON o.person_id = h.person_id
LEFT JOIN own AS w ON w.record_id = h.record_id
WHERE h.record_id <> coalesce(w.oldest_id, o.record_id) OR h.rule = 'elimination'
