-- check: Every correction says by which rule and why it is one, and why it may or may not be written.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
WHERE coalesce(trim(d.rule), '') = '' OR coalesce(trim(d.reason), '') = ''
  OR coalesce(trim(d.disposition_reason), '') = '' OR (d.disposition = 'approve' AND coalesce(trim(d.approver), '') = '')
