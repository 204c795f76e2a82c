-- grain: one person of tonight
-- key: cluster
-- why: a person keeps the id of its oldest binding. Where two persons became one, the older id stays; where one became
--   two, the side with the oldest binding keeps it, also where that binding is of a record that cannot be seen tonight and
--   that somebody has parted from the others. The other side gets the id back that its records had before they went into
--   this person, where nobody holds it. A new id is minted from the first record, once; where that id is held by others,
--   from the record and the night
WITH held AS (
  SELECT c.cluster, r.source AS system, r.vendor_id, b.person_id, b.bound_at
  FROM reconcile.person_clusters AS c
  JOIN reconcile.person_records AS r ON r.record_id = c.record_id
  JOIN ledger.identity.persons AS b ON b.system = r.source AND b.vendor_id = r.vendor_id
),
absent AS (
  SELECT DISTINCT CAST(NULL AS BIGINT) AS cluster, b.system, b.vendor_id, b.person_id, b.bound_at
  FROM ledger.identity.persons AS b
  JOIN reconcile.person_parted AS p ON p.system = b.system AND p.vendor_id = b.vendor_id
  JOIN held AS h ON h.system = p.other_system AND h.vendor_id = p.other_id AND h.person_id = b.person_id
  ANTI JOIN reconcile.person_records AS r ON r.source = b.system AND r.vendor_id = b.vendor_id
),
claims AS (
  SELECT c.person_id, c.cluster, c.bound_at, c.system, c.vendor_id
  FROM (
    SELECT person_id, cluster, bound_at, system, vendor_id FROM held
    UNION ALL
    SELECT person_id, cluster, bound_at, system, vendor_id FROM absent) AS c
  QUALIFY row_number() OVER (PARTITION BY c.person_id ORDER BY c.bound_at, c.system, c.vendor_id) = 1
),
kept AS (
  SELECT cluster, person_id
  FROM claims
  WHERE cluster IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY cluster ORDER BY bound_at, system, vendor_id) = 1
),
back AS (
  SELECT b.cluster, b.person_id
  FROM (
    SELECT h.cluster, v.old_person_id AS person_id, v.at AS moved_at, h.system, h.vendor_id
    FROM held AS h
    JOIN ledger.identity.person_moves AS v
      ON v.system = h.system AND v.vendor_id = h.vendor_id AND v.person_id = h.person_id
    ANTI JOIN kept AS k ON k.cluster = h.cluster
    ANTI JOIN ledger.identity.persons AS t ON t.person_id = v.old_person_id
    QUALIFY row_number() OVER (PARTITION BY v.old_person_id ORDER BY v.at DESC, h.system, h.vendor_id) = 1) AS b
  QUALIFY row_number() OVER (PARTITION BY b.cluster ORDER BY b.moved_at DESC, b.system, b.vendor_id) = 1
),
minted AS (
  SELECT c.cluster, concat_ws('|', 'person', r.source, r.vendor_id) AS origin
  FROM reconcile.person_clusters AS c
  JOIN reconcile.person_records AS r ON r.record_id = c.record_id
  WHERE c.cluster = c.record_id
)
SELECT m.cluster,
  coalesce(k.person_id, b.person_id, CASE WHEN t.person_id IS NULL AND o.person_id IS NULL THEN minted_id(m.origin)
                             ELSE minted_id(concat_ws('|', m.origin, n.night_id)) END) AS person_id,
  k.person_id IS NULL AND b.person_id IS NULL AS is_new
FROM minted AS m
CROSS JOIN estate.night AS n
LEFT JOIN kept AS k ON k.cluster = m.cluster
LEFT JOIN back AS b ON b.cluster = m.cluster
LEFT JOIN back AS o ON o.person_id = minted_id(m.origin)
LEFT JOIN (SELECT DISTINCT person_id FROM ledger.identity.persons) AS t ON t.person_id = minted_id(m.origin)
