-- grain: one row of one plan, with its digest over all that was planned and the seal that it was stored with
-- key: correction_key
-- why: what was approved is what is applied: one changed byte is another digest, in whichever column, and names the row
SELECT c.correction_key, c.seal, sha256(CAST(to_json([c.correction_key, c.estate, c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_id,
  c.subject_sub_id, c.currency, c.observed, c.base, CAST(c.has_base AS VARCHAR), c.desired, c.drift_class, c.authority, c.rule,
  c.reason, c.version, c.context, CAST(c.cost_minor AS VARCHAR), CAST(c.old_minor AS VARCHAR), c.risk, c.disposition,
  c.disposition_reason, c.approver, CAST(c.is_releasable AS VARCHAR), CAST(epoch_us(c.held_since) AS VARCHAR), CAST(c.is_new AS VARCHAR),
  CAST(epoch_us(c.desired_until) AS VARCHAR)]) AS VARCHAR)) AS digest
FROM ledger.sync.corrections AS c
WHERE c.plan_id = $plan_id
