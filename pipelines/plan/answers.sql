-- grain: what people last said about one correction, while it still counts
-- key: correction_key
-- why: an approval and an accepted edit live 7 days, a rejection as long as the row is the same. A pin holds the place
--   itself until its date, whatever would be written there next; a younger answer about the same place lifts it
WITH latest AS (
  SELECT a.correction_key, a.answer, a.author, a.reason, a.until, a.at AS answered_at
  FROM ledger.sync.answers AS a
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
)
SELECT s.correction_key, s.answer, s.author, s.reason, s.until, s.answered_at
FROM said AS s CROSS JOIN estate.night AS n
WHERE CASE s.answer
  WHEN 'reject' THEN true
  WHEN 'pin' THEN s.until > n.as_of
  ELSE s.answered_at > n.as_of - INTERVAL 7 DAY
END
QUALIFY row_number() OVER (PARTITION BY s.correction_key ORDER BY s.answered_at DESC, s.answer, s.author, s.reason) = 1
