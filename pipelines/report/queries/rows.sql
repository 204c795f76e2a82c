-- grain: correction; at most $most per disposition and entity, so that one entity cannot hide another
WITH verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), pushed AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.outcomes AS x GROUP BY plan_id, correction_key
)
SELECT c.correction_key, c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_sub_id, c.currency,
  c.observed, c.desired, c.base, c.drift_class, c.authority, c.rule, c.reason, c.risk, c.disposition,
  c.disposition_reason, c.held_since, c.is_new, p.lane, i.sku, i.title, o.status AS outcome, v.status AS verification
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN pushed AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
LEFT JOIN (
  SELECT CAST(item_id AS VARCHAR) AS item_id, min(title) AS title, min(vendor_id) AS sku
  FROM observed.items GROUP BY item_id
) AS i ON i.item_id = c.subject_id
WHERE p.night_id = $night_id
QUALIFY row_number() OVER (PARTITION BY c.disposition, c.entity ORDER BY c.is_new DESC, c.correction_key) <= $most
ORDER BY c.disposition, c.risk DESC, c.system, c.entity, c.field, c.correction_key
