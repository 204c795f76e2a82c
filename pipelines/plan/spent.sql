-- grain: one of tonight's corrections that its system did not take, as often as it may be tried
-- key: correction_key
-- why: R13; what is refused for ever is not sent for ever: it is parked with the system's last code and a hash of what was
--   sent, all else goes on. A try is a batch that was refused or whose end stayed unknown, in whichever night; what was
--   skipped was not tried, and what was taken since begins anew. A person's approval gives as many tries again; another
--   desired value is another correction. An opt-out is tried first, every night, for ever: a no must arrive
WITH tried AS (
  SELECT o.plan_id, o.correction_key,
    greatest(1, count(DISTINCT o.batch_id) FILTER (WHERE o.status IN ('rejected', 'unknown'))) AS try_count,
    max(o."at") FILTER (WHERE o.status IN ('rejected', 'unknown')) AS tried_at,
    arg_max(o.code, o.rowid) FILTER (WHERE o.status IN ('rejected', 'unknown')) AS code,
    max(o.rowid) FILTER (WHERE o.status IN ('rejected', 'unknown')) AS place,
    max(o."at") FILTER (WHERE o.status = 'applied') AS applied_at
  FROM ledger.sync.outcomes AS o
  WHERE o.correction_key IN (SELECT r.correction_key FROM plan.rows AS r)
  GROUP BY o.plan_id, o.correction_key
), applied AS (
  SELECT t.correction_key, max(t.applied_at) AS applied_at FROM tried AS t GROUP BY t.correction_key
), released AS (
  SELECT a.correction_key, max(a."at") AS released_at FROM ledger.sync.answers AS a
  WHERE a.answer = 'approve' AND a.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  GROUP BY a.correction_key
), counted AS (
  SELECT t.correction_key, sum(t.try_count) AS try_count, max(t.tried_at) AS last_at, arg_max(t.code, t.place) AS code
  FROM tried AS t
  JOIN applied AS d ON d.correction_key = t.correction_key
  LEFT JOIN released AS a ON a.correction_key = t.correction_key
  WHERE t.tried_at IS NOT NULL AND coalesce(t.tried_at > d.applied_at, true) AND coalesce(t.tried_at > a.released_at, true)
  GROUP BY t.correction_key
)
SELECT r.correction_key, c.last_at,
  concat('It was not taken in ', c.try_count, ' tries (R13), last on ', strftime(c.last_at AT TIME ZONE 'UTC', '%Y-%m-%d'), ': ',
    r.system, ' answered ', coalesce(nullif(c.code, ''), 'nothing'), ' (sent: ',
    left(sha256(concat_ws('|', r.vendor_id, r.vendor_sub_id, r.field, r.desired, r.context)), 12), ').') AS reason
FROM plan.rows AS r
JOIN counted AS c ON c.correction_key = r.correction_key
WHERE r.drift_class <> 'lower' AND c.try_count >= coalesce((SELECT max(p.tries) FROM policy.parking AS p), 5)
