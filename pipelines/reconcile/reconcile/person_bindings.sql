-- grain: one record whose binding is new or has changed
-- key: system, vendor_id
-- why: what the ledger must learn tonight: new records, records that changed persons, better reasons for the same one.
--   A person that went into another takes along the records that cannot be seen tonight, unless somebody has parted one of
--   them from the other: then it has not gone
WITH stayed AS (
  SELECT DISTINCT b.person_id AS old_id, coalesce(m.person_id, o.person_id) AS new_id
  FROM ledger.identity.persons AS b
  JOIN reconcile.person_parted AS p ON p.system = b.system AND p.vendor_id = b.vendor_id
  ANTI JOIN reconcile.person_records AS r ON r.source = b.system AND r.vendor_id = b.vendor_id
  JOIN ledger.identity.persons AS o ON o.system = p.other_system AND o.vendor_id = p.other_id
  LEFT JOIN reconcile.person_matches AS m ON m.system = o.system AND m.vendor_id = o.vendor_id
), gone AS (
  SELECT b.person_id AS old_id, m.person_id AS new_id
  FROM ledger.identity.persons AS b
  JOIN reconcile.person_matches AS m ON m.system = b.system AND m.vendor_id = b.vendor_id
  WHERE b.person_id <> m.person_id
    AND NOT EXISTS (SELECT 1 FROM reconcile.person_ids AS p WHERE p.person_id = b.person_id)
    AND NOT EXISTS (SELECT 1 FROM stayed AS s WHERE s.old_id = b.person_id AND s.new_id = m.person_id)
  GROUP BY b.person_id, m.person_id
  QUALIFY row_number() OVER (PARTITION BY b.person_id ORDER BY count(*) DESC, m.person_id) = 1
)
SELECT m.system, m.vendor_id, m.person_id, m.rule, m.score,
  CASE WHEN b.person_id = m.person_id THEN b.bound_at ELSE n.as_of END AS bound_at,
  CASE WHEN b.person_id = m.person_id THEN b.night_id ELSE n.night_id END AS night_id,
  b.person_id AS old_person_id,
  EXISTS (SELECT 1 FROM reconcile.person_ids AS p WHERE p.person_id = b.person_id)
    OR EXISTS (SELECT 1 FROM stayed AS s WHERE s.old_id = b.person_id AND s.new_id = m.person_id) AS goes_on
FROM reconcile.person_matches AS m
CROSS JOIN estate.night AS n
LEFT JOIN ledger.identity.persons AS b ON b.system = m.system AND b.vendor_id = m.vendor_id
WHERE b.person_id IS DISTINCT FROM m.person_id OR b.rule IS DISTINCT FROM m.rule
UNION ALL
SELECT b.system, b.vendor_id, g.new_id, b.rule, b.score, n.as_of, n.night_id, b.person_id, false
FROM ledger.identity.persons AS b
JOIN gone AS g ON g.old_id = b.person_id
CROSS JOIN estate.night AS n
WHERE NOT EXISTS (SELECT 1 FROM reconcile.person_matches AS m WHERE m.system = b.system AND m.vendor_id = b.vendor_id)
