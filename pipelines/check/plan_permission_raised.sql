-- check: No permission is raised by policy, nor by anybody without proof or where no writer can; policy only lowers to no.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
WHERE d.entity = 'consents' AND d.disposition = 'approve' AND (
  (d.approver = 'policy' AND (d.drift_class <> 'lower' OR d.desired IS DISTINCT FROM 'no'))
  OR (d.desired IS DISTINCT FROM 'no' AND d.drift_class <> 'raise_with_proof')
  OR (d.desired IS DISTINCT FROM 'no' AND d.observed IS NOT NULL AND d.system NOT IN (
    SELECT r.system FROM policy.raises AS r WHERE r.entity = 'consents')))
