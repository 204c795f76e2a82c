-- grain: one value that was written and read back as desired, and that the base has not followed yet
-- key: system, entity, field, vendor_id, vendor_sub_id
-- why: the first of the two proofs that move the base, whichever night planned the write; each is used once. What was
--   rolled back is no agreement: `is_undone` moves the history of prices, and not the base
SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_id, c.subject_sub_id, c.currency, c.desired,
  p.as_of AS planned_as_of, max(v.at) AS proven_at, c.rule = 'rollback' AS is_undone
FROM ledger.sync.verifications AS v
JOIN ledger.sync.corrections AS c ON c.plan_id = v.plan_id AND c.correction_key = v.correction_key
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
WHERE v.status = 'confirmed' AND v.agreed_night IS NULL
  AND NOT starts_with(c.vendor_id, 'new:')  -- a record just made is read, and proven, anew
GROUP BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_id, c.subject_sub_id, c.currency, c.desired, p.as_of,
  c.rule = 'rollback'
QUALIFY row_number() OVER (
  PARTITION BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id ORDER BY max(v.at) DESC, p.as_of DESC) = 1
