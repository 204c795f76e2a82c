-- check: Everything was read completely tonight. What was not is frozen by its read already, before this check.
-- table: reads.verdicts
-- severity: warning
SELECT v.system, v.entity, v.reason
FROM reads.verdicts AS v
WHERE NOT v.is_complete
