-- check: No value is approved to be written twice, but a no that two rules say.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
FROM plan.decided AS d
WHERE d.disposition = 'approve'
GROUP BY d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
HAVING count(*) > 1 AND NOT bool_and(d.drift_class = 'lower' AND d.desired = 'no')  -- said twice it is the same, and never held
