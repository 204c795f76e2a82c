-- grain: system, entity and cause of drift that stands after the night
WITH verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), pushed AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status, arg_max(x.code, x.at) AS code
  FROM ledger.sync.outcomes AS x GROUP BY plan_id, correction_key
), allowed AS (
  SELECT DISTINCT plan_id, correction_key FROM ledger.sync.approvals
)
SELECT c.system, c.entity,
  CASE WHEN o.status IN ('applied', 'unknown') THEN 'verify: ' || coalesce(v.status, 'not read back')
       WHEN o.status IS NOT NULL THEN 'push: ' || o.status || CASE WHEN o.code <> '' THEN ' (' || o.code || ')' ELSE '' END
       WHEN c.disposition = 'approve' OR a.plan_id IS NOT NULL THEN 'approved, not pushed'
       ELSE c.disposition || ': ' || coalesce(c.disposition_reason, c.drift_class) END AS cause,
  count(*) AS row_count
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN pushed AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
LEFT JOIN allowed AS a ON a.plan_id = c.plan_id AND a.correction_key = c.correction_key
WHERE p.night_id = $night_id AND v.status IS DISTINCT FROM 'confirmed'
GROUP BY c.system, c.entity, cause ORDER BY row_count DESC, c.system, c.entity, cause
