-- check: Nothing is approved that nobody opened: no target that is unnamed, unwritable, only observed or outside the pilot.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
LEFT JOIN policy.targets AS t ON t.system = d.system AND t.entity = d.entity AND t.field = d.field
WHERE d.disposition = 'approve' AND (
  t.system IS NULL OR NOT t.is_writable OR t.mode NOT IN ('live', 'pilot')
  OR (t.mode = 'pilot' AND NOT EXISTS (
    SELECT 1 FROM policy.pilots AS p WHERE p.system = d.system AND p.entity = d.entity AND p.subject_id = d.subject_id)))
