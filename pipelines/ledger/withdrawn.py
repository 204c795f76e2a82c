"""Which rows of a stored plan people's younger words keep back: asked when it is approved, and again when it is pushed.

The planner has heard what was said before a plan (`plan/answers.sql`); a word given later must still count, whoever had
approved the row, and however long that approval lives. Reads `ledger.sync.*`, writes nothing.
"""

WITHDRAWN = """
WITH latest AS (
  SELECT w.correction_key, w.answer, w.until, w.at AS answered_at FROM ledger.sync.answers AS w
  QUALIFY row_number() OVER (PARTITION BY w.correction_key ORDER BY w.at DESC, w.answer_id DESC) = 1
),
named AS (
  SELECT DISTINCT s.system, s.entity, s.field, s.vendor_id, s.vendor_sub_id, s.subject_id, s.subject_sub_id,
    l.correction_key, l.answer, l.until, l.answered_at
  FROM latest AS l JOIN ledger.sync.corrections AS s ON s.correction_key = l.correction_key
),
placed AS (
  SELECT d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id, d.answer, d.until FROM named AS d
  QUALIFY row_number() OVER (
    PARTITION BY d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
    ORDER BY d.answered_at DESC, d.correction_key) = 1
)
SELECT q.correction_key
FROM ledger.sync.corrections AS q
LEFT JOIN latest AS l ON l.correction_key = q.correction_key
LEFT JOIN placed AS h
  ON h.system = q.system AND h.entity = q.entity AND h.field = q.field AND h.vendor_id = q.vendor_id
    AND h.vendor_sub_id = q.vendor_sub_id
WHERE q.plan_id = $plan_id AND q.drift_class <> 'lower' AND (  -- an opt-out takes no answer
  coalesce(l.answer = 'reject' OR (l.answer = 'pin' AND l.until > $now), false)
  OR coalesce(l.answer = 'accept-theirs' AND l.answered_at > $now - INTERVAL 7 DAY, false)
  OR coalesce(h.answer = 'pin' AND h.until > $now, false)
  OR (q.rule = 'accept-theirs' AND NOT EXISTS (  -- written only while the edit that it came from is still accepted
    SELECT 1 FROM named AS t
    WHERE t.answer = 'accept-theirs' AND t.answered_at > $now - INTERVAL 7 DAY AND t.entity = q.entity
      AND t.subject_id = q.subject_id AND t.subject_sub_id = q.subject_sub_id
      AND (t.field = q.field OR t.entity = 'stock')))  -- a level of the shop is a count of the till
)
"""
"""A SELECT of correction keys; binds `$plan_id` and `$now`."""
