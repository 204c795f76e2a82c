-- check: Every correction changes something: the desired value is not the observed one.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
WHERE d.desired IS NOT DISTINCT FROM d.observed
