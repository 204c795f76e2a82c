-- grain: system and entity; what became of each correction of the night
WITH verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), pushed AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.outcomes AS x GROUP BY plan_id, correction_key
)
SELECT c.system, c.entity,
  count(*) AS planned,
  count(*) FILTER (WHERE c.is_new) AS new,
  count(*) FILTER (WHERE c.disposition = 'approve') AS approved,
  count(*) FILTER (WHERE c.disposition = 'hold') AS held,
  count(*) FILTER (WHERE c.disposition = 'refuse') AS refused,
  count(*) FILTER (WHERE c.disposition = 'not_writable') AS not_writable,
  count(*) FILTER (WHERE o.status = 'applied') AS pushed,
  count(*) FILTER (WHERE v.status = 'confirmed') AS confirmed,
  count(*) FILTER (WHERE o.status IS NOT NULL AND v.status IS DISTINCT FROM 'confirmed') AS unproved
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN pushed AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
WHERE p.night_id = $night_id
GROUP BY c.system, c.entity ORDER BY c.system, c.entity
