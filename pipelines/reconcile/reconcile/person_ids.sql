-- grain: one person of tonight
-- key: cluster
-- why: a person keeps the id of its oldest binding. Where two persons became one, the older id stays; where one became
--   two, the side with the oldest binding keeps it. A new id is minted from the first record, once; where that id is
--   held by others, from the record and the night
WITH held AS (
  SELECT c.cluster, r.source AS system, r.vendor_id, b.person_id, b.bound_at
  FROM reconcile.person_clusters AS c
  JOIN reconcile.person_records AS r ON r.record_id = c.record_id
  JOIN ledger.identity.persons AS b ON b.system = r.source AND b.vendor_id = r.vendor_id
),
claims AS (
  SELECT person_id, cluster, bound_at, system, vendor_id
  FROM held
  QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY bound_at, system, vendor_id) = 1
),
kept AS (
  SELECT cluster, person_id
  FROM claims
  QUALIFY row_number() OVER (PARTITION BY cluster ORDER BY bound_at, system, vendor_id) = 1
),
minted AS (
  SELECT c.cluster, concat_ws('|', 'person', r.source, r.vendor_id) AS origin
  FROM reconcile.person_clusters AS c
  JOIN reconcile.person_records AS r ON r.record_id = c.record_id
  WHERE c.cluster = c.record_id
)
SELECT m.cluster,
  coalesce(k.person_id, CASE WHEN t.person_id IS NULL THEN minted_id(m.origin)
                             ELSE minted_id(concat_ws('|', m.origin, n.night_id)) END) AS person_id,
  k.person_id IS NULL AS is_new
FROM minted AS m
CROSS JOIN estate.night AS n
LEFT JOIN kept AS k ON k.cluster = m.cluster
LEFT JOIN (SELECT DISTINCT person_id FROM ledger.identity.persons) AS t ON t.person_id = minted_id(m.origin)
