-- grain: one value that was written tonight and read back as desired
-- key: system, entity, field, vendor_id, vendor_sub_id
-- why: the first of the two proofs that move the base
SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_id, c.subject_sub_id, c.currency, c.desired,
  max(v.at) AS proven_at
FROM ledger.sync.verifications AS v
JOIN ledger.sync.corrections AS c ON c.plan_id = v.plan_id AND c.correction_key = v.correction_key
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
JOIN estate.night AS n ON n.night_id = p.night_id
WHERE v.status = 'confirmed' AND NOT starts_with(c.vendor_id, 'new:')  -- a record just made is read, and proven, anew
GROUP BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_id, c.subject_sub_id, c.currency, c.desired
QUALIFY row_number() OVER (PARTITION BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id ORDER BY max(v.at) DESC) = 1
