-- grain: system, entity and cause of drift that stands after the night
WITH verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), pushed AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.outcomes AS x GROUP BY plan_id, correction_key
)
SELECT c.system, c.entity,
  CASE WHEN c.disposition <> 'approve' THEN c.disposition || ': ' || coalesce(c.disposition_reason, c.drift_class)
       WHEN o.status IS NULL THEN 'approved, not pushed'
       WHEN o.status <> 'applied' THEN 'push: ' || o.status
       ELSE 'verify: ' || coalesce(v.status, 'not read back') END AS cause,
  count(*) AS row_count
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN pushed AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
WHERE p.night_id = $night_id AND v.status IS DISTINCT FROM 'confirmed'
GROUP BY c.system, c.entity, cause ORDER BY row_count DESC, c.system, c.entity, cause
