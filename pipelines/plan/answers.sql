-- grain: what people last said about one correction, while it still counts
-- key: correction_key
-- why: an approval and an accepted edit live 7 days, a rejection as long as the row is the same. A pin holds the place
--   itself until its date, whatever would be written there next; a younger answer about the same place lifts it.
--   An order to roll back approves what it writes back, and rejects what it undid, for as long as that would be the same again.
--   What rests on a signature that does not hold any more is left out
WITH latest AS (
  SELECT a.correction_key, a.answer, a.author, a.reason, a.until, a.at AS answered_at
  FROM ledger.sync.answers AS a
  WHERE a.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  QUALIFY row_number() OVER (PARTITION BY a.correction_key ORDER BY a.at DESC, a.answer_id DESC) = 1
),
placed AS (
  SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, l.answer, l.author, l.reason, l.until, l.answered_at
  FROM latest AS l
  JOIN ledger.sync.corrections AS c ON c.correction_key = l.correction_key
  QUALIFY row_number() OVER (
    PARTITION BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id ORDER BY l.answered_at DESC, l.correction_key) = 1
),
said AS (
  SELECT l.correction_key, l.answer, l.author, l.reason, l.until, l.answered_at FROM latest AS l
  UNION ALL
  SELECT d.correction_key, p.answer, p.author, p.reason, p.until, p.answered_at
  FROM plan.drift AS d
  JOIN placed AS p
    ON p.system = d.system AND p.entity = d.entity AND p.field = d.field AND p.vendor_id = d.vendor_id
      AND p.vendor_sub_id = d.vendor_sub_id
  WHERE p.answer = 'pin'
  UNION ALL
  SELECT d.correction_key, 'approve', r.author, r.reason, NULL, r.said_at
  FROM plan.drift AS d
  JOIN reconcile.rollback_rows AS r
    ON r.system = d.system AND r.entity = d.entity AND r.field = d.field AND r.vendor_id = d.vendor_id
      AND r.vendor_sub_id = d.vendor_sub_id
  WHERE d.rule = 'rollback' AND r.state = 'restore'
  UNION ALL
  SELECT d.correction_key, 'reject', r.author, concat('rolled back: ', r.reason), NULL, r.said_at
  FROM plan.drift AS d
  JOIN reconcile.rollback_rows AS r
    ON r.system = d.system AND r.entity = d.entity AND r.field = d.field AND r.vendor_id = d.vendor_id
      AND r.vendor_sub_id = d.vendor_sub_id
  WHERE d.rule <> 'rollback' AND d.entity <> 'consents' AND r.stands
    AND is_same_writing(d.observed, r.before) AND is_same_writing(d.desired, r.after)
)
SELECT s.correction_key, s.answer, s.author, s.reason, s.until, s.answered_at
FROM said AS s CROSS JOIN estate.night AS n
WHERE CASE s.answer
  WHEN 'reject' THEN true
  WHEN 'pin' THEN s.until > n.as_of
  ELSE s.answered_at > n.as_of - INTERVAL 7 DAY
END
QUALIFY row_number() OVER (PARTITION BY s.correction_key ORDER BY s.answered_at DESC, s.answer, s.author, s.reason) = 1
