-- grain: one value of one system that is not what it ought to be, with its identity across nights
-- key: correction_key
-- why: the suppression lane's input: permissions alone; built from stage and ledger, so that an opt-out waits for nothing.
--   The lane may run twice a night: first on what is known before persons are linked, then on what tonight's links add
WITH planned AS (
  SELECT c.correction_key
  FROM ledger.sync.corrections AS c
  JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
  JOIN estate.night AS n ON n.night_id = p.night_id
  WHERE p.lane = 'suppression'
)
SELECT correction_key(n.estate, d.system, d.vendor_id, coalesce(d.vendor_sub_id, ''), d.entity, d.field, d.observed, d.desired, d.rule)
    AS correction_key,
  d.system, d.entity, d.field, d.vendor_id, coalesce(d.vendor_sub_id, '') AS vendor_sub_id,
  CAST(d.subject_id AS VARCHAR) AS subject_id, coalesce(CAST(d.subject_sub_id AS VARCHAR), '') AS subject_sub_id, d.currency,
  d.observed, d.base, coalesce(d.has_base, false) AS has_base, d.desired, d.drift_class, d.authority, d.rule, d.reason,
  CAST(d.version AS VARCHAR) AS version, CAST(d.context AS VARCHAR) AS context,
  CAST(d.cost_minor AS BIGINT) AS cost_minor, CAST(d.old_minor AS BIGINT) AS old_minor, d.desired_until
FROM reconcile.consent_drift AS d CROSS JOIN estate.night AS n
WHERE d.observed IS DISTINCT FROM d.desired
  AND correction_key(n.estate, d.system, d.vendor_id, coalesce(d.vendor_sub_id, ''), d.entity, d.field, d.observed, d.desired, d.rule)
    NOT IN (SELECT p.correction_key FROM planned AS p)
