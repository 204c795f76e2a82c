-- check: Every correction is in the plan once: an approval names a key, and must name one row.
-- table: plan.decided
-- severity: fatal
SELECT min(d.system) AS system, min(d.entity) AS entity, d.correction_key
FROM plan.decided AS d
GROUP BY d.correction_key
HAVING count(*) > 1
