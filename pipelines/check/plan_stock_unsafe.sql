-- check: Every approved stock level is a whole number of units, none below zero.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
WHERE d.entity = 'stock' AND d.disposition = 'approve' AND coalesce(TRY_CAST(d.desired AS BIGINT), -1) < 0
