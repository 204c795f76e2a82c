-- grain: one plan; one row
-- key: none
-- why: what was approved is what is applied: one changed byte in any row is another fingerprint, the order of rows is not
SELECT sha256(coalesce(string_agg(x.digest, '' ORDER BY x.digest), '')) AS fingerprint
FROM (
  SELECT sha256(CAST(to_json([c.correction_key, c.estate, c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_id,
    c.subject_sub_id, c.currency, c.observed, c.base, CAST(c.has_base AS VARCHAR), c.desired, c.drift_class, c.authority, c.rule,
    c.reason, c.version, c.context, CAST(c.cost_minor AS VARCHAR), CAST(c.old_minor AS VARCHAR), c.risk, c.disposition,
    c.disposition_reason, c.approver, CAST(c.is_releasable AS VARCHAR), CAST(epoch_us(c.held_since) AS VARCHAR), CAST(c.is_new AS VARCHAR),
    CAST(epoch_us(c.desired_until) AS VARCHAR)]) AS VARCHAR)) AS digest
  FROM ledger.sync.corrections AS c
  WHERE c.plan_id = $plan_id
) AS x
