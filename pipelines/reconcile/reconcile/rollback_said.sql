-- grain: one written correction that a person has ordered to be undone
-- key: plan_id, correction_key
-- why: said again, the younger word counts. An order acts for 7 days, as long as a person's approval lives; what it has
--   undone stays undone for longer (plan/answers.sql). An order whose signature does not hold any more
--   undoes nothing more
SELECT r.rollback_id, x.plan_id, x.correction_key, r.author, r.reason, r.at AS said_at, r.last_plan_at,
  r.at > n.as_of - INTERVAL 7 DAY AND v.answer_id IS NULL AS is_current
FROM ledger.sync.rollbacks AS r
JOIN ledger.sync.rollback_rows AS x ON x.rollback_id = r.rollback_id
CROSS JOIN estate.night AS n
LEFT JOIN (SELECT DISTINCT w.answer_id FROM ledger.sync.void_answers AS w) AS v ON v.answer_id = r.rollback_id
QUALIFY row_number() OVER (
  PARTITION BY x.plan_id, x.correction_key ORDER BY v.answer_id IS NOT NULL, r.at DESC, r.rollback_id DESC) = 1
