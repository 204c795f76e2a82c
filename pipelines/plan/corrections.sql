-- grain: one correction of tonight's plans, both lanes
-- key: plan_id, correction_key
-- why: what checks and reports of the night look at, beside the working tables; the record itself is the ledger's.
--   Opt-outs may be planned twice a night, each time what was not planned yet; of the main lane the last plan counts
SELECT p.lane, c.plan_id, c.correction_key, c.estate, c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_id,
  c.subject_sub_id, c.currency, c.observed, c.base, c.has_base, c.desired, c.drift_class, c.authority, c.rule, c.reason, c.version,
  c.context, c.cost_minor, c.old_minor, c.risk, c.disposition, c.disposition_reason, c.approver, c.is_releasable, c.held_since, c.is_new,
  c.desired_until
FROM ledger.sync.corrections AS c
JOIN (
  SELECT q.plan_id, q.lane FROM ledger.sync.plans AS q JOIN estate.night AS n ON n.night_id = q.night_id
  QUALIFY q.lane = 'suppression'
    OR row_number() OVER (PARTITION BY q.lane ORDER BY q.created_at DESC, length(q.plan_id) DESC, q.plan_id DESC) = 1
) AS p ON p.plan_id = c.plan_id
