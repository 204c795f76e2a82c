-- check: No value is approved to be written twice, but a permission that two rules take away.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
FROM plan.decided AS d
WHERE d.disposition = 'approve' AND d.drift_class <> 'lower'  -- a no is a no, however often it is said
GROUP BY d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
HAVING count(*) > 1
