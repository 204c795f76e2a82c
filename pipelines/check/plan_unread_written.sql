-- check: Nothing is approved of what was not read completely tonight, in the system itself or in its source of truth.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
WHERE d.disposition = 'approve' AND d.drift_class <> 'lower'
  AND EXISTS (
    SELECT 1 FROM reads.verdicts AS v
    WHERE NOT v.is_complete AND (
      (v.entity = d.entity AND v.system IN (d.system, d.authority)) OR (d.entity = 'customers' AND v.entity = 'consents')))
