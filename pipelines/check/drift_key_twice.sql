-- check: No value of a system is to be corrected to two different values.
-- table: reconcile.drift
-- severity: blocking
SELECT d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
FROM reconcile.drift AS d
GROUP BY d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
HAVING count(*) > 1
