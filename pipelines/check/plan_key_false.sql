-- check: Every correction bears the key of its own content: what a person approved by key is what would be written.
-- table: plan.decided
-- severity: fatal
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
WHERE d.correction_key IS DISTINCT FROM correction_key(
  d.estate, d.system, d.vendor_id, d.vendor_sub_id, d.entity, d.field, d.observed, d.desired, d.rule)
