-- grain: one value that may be written tonight, after people's accepted edits have been turned round
-- key: correction_key
-- why: one row a value whatever the duplicates upstream; a held row whose edit was accepted is not planned beside its opposite.
--   Where several edits were accepted for one value, the younger word is the truth, and all of them have been answered
WITH joined AS (
  SELECT d.correction_key, d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id, d.subject_id, d.subject_sub_id, d.currency,
    d.observed, d.base, d.has_base, d.desired, d.drift_class, d.authority, d.rule, d.reason, d.version, d.context, d.cost_minor,
    d.old_minor, d.desired_until, NULL::VARCHAR AS accepted_by
  FROM plan.drift AS d
  WHERE d.correction_key NOT IN (SELECT x.accepted_key FROM plan.accepted AS x)
  UNION ALL
  SELECT a.correction_key, a.system, a.entity, a.field, a.vendor_id, a.vendor_sub_id, a.subject_id, a.subject_sub_id, a.currency,
    a.observed, a.base, a.has_base, a.desired, a.drift_class, a.authority, a.rule, a.reason, a.version, a.context, a.cost_minor,
    a.old_minor, a.desired_until, a.accepted_by
  FROM plan.accepted AS a
  QUALIFY row_number() OVER (PARTITION BY a.system, a.entity, a.field, a.vendor_id, a.vendor_sub_id
    ORDER BY a.answered_at DESC, a.correction_key, a.accepted_key) = 1
)
SELECT j.correction_key, j.system, j.entity, j.field, j.vendor_id, j.vendor_sub_id, j.subject_id, j.subject_sub_id, j.currency,
  j.observed, j.base, j.has_base, j.desired, j.drift_class, j.authority, j.rule, j.reason, j.version, j.context, j.cost_minor,
  j.old_minor, j.desired_until, j.accepted_by,
  count(*) OVER (PARTITION BY j.system, j.entity, j.field, j.vendor_id, j.vendor_sub_id) AS claim_count
FROM (
  SELECT u.correction_key, u.system, u.entity, u.field, u.vendor_id, u.vendor_sub_id, u.subject_id, u.subject_sub_id, u.currency,
    u.observed, u.base, u.has_base, u.desired, u.drift_class, u.authority, u.rule, u.reason, u.version, u.context, u.cost_minor,
    u.old_minor, u.desired_until, u.accepted_by
  FROM joined AS u
  QUALIFY row_number() OVER (PARTITION BY u.correction_key ORDER BY u.accepted_by NULLS LAST, u.drift_class, u.reason, u.subject_id,
    u.subject_sub_id, u.authority, u.currency, u.version, u.context, u.base, u.has_base, u.cost_minor, u.old_minor,
    u.desired_until) = 1
) AS j
