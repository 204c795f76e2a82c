"""Which rows of a stored plan people's younger words keep back: asked when it is approved, and again when it is pushed.

The planner has heard what was said before a plan (`plan/answers.sql`); a word given later must still count, whoever had
approved the row, and however long that approval lives. Reads `ledger.sync.*`, writes nothing.
"""

WITHDRAWN = """
WITH latest AS (
  SELECT w.correction_key, w.answer, w.until, w.at AS answered_at FROM ledger.sync.answers AS w
  WHERE w.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  QUALIFY row_number() OVER (PARTITION BY w.correction_key ORDER BY w.at DESC, w.answer_id DESC) = 1
),
named AS (
  SELECT DISTINCT s.system, s.entity, s.field, s.vendor_id, s.vendor_sub_id, s.subject_id, s.subject_sub_id,
    l.correction_key, l.answer, l.until, l.answered_at
  FROM latest AS l JOIN ledger.sync.corrections AS s ON s.correction_key = l.correction_key
),
placed AS (
  SELECT d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id, d.answer, d.until, d.answered_at FROM named AS d
  QUALIFY row_number() OVER (
    PARTITION BY d.system, d.entity, d.field, d.vendor_id, d.vendor_sub_id
    ORDER BY d.answered_at DESC, d.correction_key) = 1
),
apart AS (
  SELECT a.taken_system AS system, a.taken_id AS vendor_id, a.last_plan_at FROM ledger.identity.apart AS a
  WHERE a.parting_id NOT IN (SELECT u.parting_id FROM ledger.identity.apart_undone AS u)
  UNION ALL
  SELECT a.kept_system, a.kept_id, a.last_plan_at FROM ledger.identity.apart AS a
  WHERE a.parting_id NOT IN (SELECT u.parting_id FROM ledger.identity.apart_undone AS u)
),
orders AS (
  SELECT o.system, o.entity, o.field, o.vendor_id, o.vendor_sub_id, r.author, max(r.at) AS ordered_at
  FROM ledger.sync.rollbacks AS r
  JOIN ledger.sync.rollback_rows AS x ON x.rollback_id = r.rollback_id
  JOIN ledger.sync.corrections AS o ON o.plan_id = x.plan_id AND o.correction_key = x.correction_key
  WHERE r.rollback_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  GROUP BY o.system, o.entity, o.field, o.vendor_id, o.vendor_sub_id, r.author
),
unsaid AS (  -- approved by a person whose word does not count any more
  SELECT g.plan_id, g.correction_key
  FROM ledger.sync.approvals AS g
  JOIN ledger.sync.corrections AS c ON c.plan_id = g.plan_id AND c.correction_key = g.correction_key
  LEFT JOIN (
    SELECT DISTINCT w.correction_key, w.author FROM ledger.sync.answers AS w
    WHERE w.answer = 'approve' AND w.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  ) AS a ON a.correction_key = g.correction_key AND a.author = g.approver
  LEFT JOIN orders AS b ON c.rule = 'rollback' AND b.system = c.system AND b.entity = c.entity AND b.field = c.field
    AND b.vendor_id = c.vendor_id AND b.vendor_sub_id = c.vendor_sub_id AND b.author = g.approver
  WHERE g.plan_id = $plan_id AND g.approver <> 'policy' AND c.rule <> 'accept-theirs'
    AND a.author IS NULL AND b.author IS NULL
)
SELECT q.correction_key
FROM ledger.sync.corrections AS q
JOIN ledger.sync.plans AS p ON p.plan_id = q.plan_id
LEFT JOIN latest AS l ON l.correction_key = q.correction_key
LEFT JOIN placed AS h
  ON h.system = q.system AND h.entity = q.entity AND h.field = q.field AND h.vendor_id = q.vendor_id
    AND h.vendor_sub_id = q.vendor_sub_id
LEFT JOIN (
  SELECT o.system, o.entity, o.field, o.vendor_id, o.vendor_sub_id, max(o.ordered_at) AS ordered_at FROM orders AS o
  GROUP BY o.system, o.entity, o.field, o.vendor_id, o.vendor_sub_id
) AS y
  ON q.rule = 'rollback' AND y.system = q.system AND y.entity = q.entity AND y.field = q.field
    AND y.vendor_id = q.vendor_id AND y.vendor_sub_id = q.vendor_sub_id
WHERE q.plan_id = $plan_id AND q.drift_class <> 'lower' AND (  -- an opt-out takes no answer
  coalesce(l.answer = 'reject' OR (l.answer = 'pin' AND l.until > $now), false)
  OR coalesce(l.answer = 'accept-theirs' AND l.answered_at > $now - INTERVAL 7 DAY, false)
  OR coalesce(h.answer = 'pin' AND h.until > $now AND (y.ordered_at IS NULL OR h.answered_at > y.ordered_at), false)
  OR EXISTS (SELECT 1 FROM unsaid AS u WHERE u.plan_id = q.plan_id AND u.correction_key = q.correction_key)
  OR (q.entity = 'customers' AND EXISTS (  -- planned when the record was taken for one person with others
    SELECT 1 FROM apart AS x
    WHERE x.system = q.system AND x.vendor_id = q.vendor_id AND q.rule <> 'unmerge' AND x.last_plan_at >= p.created_at))
  OR (q.rule <> 'rollback' AND EXISTS (  -- planned before a person rolled the very same correction back
    SELECT 1 FROM ledger.sync.rollback_rows AS x JOIN ledger.sync.rollbacks AS r ON r.rollback_id = x.rollback_id
    WHERE x.correction_key = q.correction_key AND r.last_plan_at >= p.created_at
      AND NOT coalesce(l.answer = 'approve' AND l.answered_at >= r.at, false)))
  OR (q.rule = 'unmerge' AND NOT EXISTS (  -- taken back only while the two are parted
    SELECT 1 FROM apart AS x WHERE x.system = q.system AND x.vendor_id = q.vendor_id))
  OR (q.rule = 'accept-theirs' AND NOT EXISTS (  -- written only while the edit that it came from is still accepted
    SELECT 1 FROM named AS t
    WHERE t.answer = 'accept-theirs' AND t.answered_at > $now - INTERVAL 7 DAY AND t.entity = q.entity
      AND t.subject_id = q.subject_id AND t.subject_sub_id = q.subject_sub_id
      AND (t.field = q.field OR t.entity = 'stock')))  -- a level of the shop is a count of the till
)
"""
"""A SELECT of correction keys; binds `$plan_id` and `$now`."""
