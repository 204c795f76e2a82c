-- grain: what people last said about one correction, while it still counts
-- key: correction_key
-- why: an approval and an accepted edit live 7 days, a pin until its date, a rejection as long as the row is the same
WITH latest AS (
  SELECT a.correction_key, a.answer, a.author, a.reason, a.until, a.at AS answered_at
  FROM ledger.sync.answers AS a
  QUALIFY row_number() OVER (PARTITION BY a.correction_key ORDER BY a.at DESC, a.answer_id DESC) = 1
)
SELECT l.correction_key, l.answer, l.author, l.reason, l.until, l.answered_at
FROM latest AS l CROSS JOIN estate.night AS n
WHERE CASE l.answer
  WHEN 'reject' THEN true
  WHEN 'pin' THEN l.until > n.as_of
  ELSE l.answered_at > n.as_of - INTERVAL 7 DAY
END
