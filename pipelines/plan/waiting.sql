-- grain: one of tonight's corrections that was written as a request, and that nobody has seen carried out yet
-- key: correction_key
-- why: where a write is a request (a file to be imported), its system shows the old value until somebody has carried it
--   out: the same correction is not asked for again meanwhile. Of each value only the youngest request counts, for it is
--   carried out last: what an older one asked for is asked for anew. What has waited too long, was seen carried out or was
--   overruled waits no more
WITH written AS (
  SELECT o.plan_id, o.correction_key, arg_max(o.status, o.rowid) AS status, max(o."at") AS written_at, max(o.rowid) AS place
  FROM ledger.sync.outcomes AS o GROUP BY o.plan_id, o.correction_key
), seen AS (
  SELECT v.plan_id, v.correction_key, arg_max(v.status, v.rowid) AS status
  FROM ledger.sync.verifications AS v GROUP BY v.plan_id, v.correction_key
), latest AS (
  SELECT c.correction_key, w.written_at, q.seconds, coalesce(s.status, 'settling') AS status
  FROM ledger.sync.corrections AS c
  JOIN policy.requests AS q ON q.system = c.system AND q.entity = c.entity
  JOIN written AS w ON w.plan_id = c.plan_id AND w.correction_key = c.correction_key AND w.status = 'applied'
  LEFT JOIN seen AS s ON s.plan_id = c.plan_id AND s.correction_key = c.correction_key
  QUALIFY row_number() OVER (
    PARTITION BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id ORDER BY w.written_at DESC, w.place DESC) = 1
)
SELECT l.correction_key, l.written_at
FROM latest AS l CROSS JOIN estate.night AS n
WHERE l.status IN ('settling', 'unconfirmed') AND l.written_at + to_seconds(l.seconds) > n.as_of
  AND l.correction_key IN (SELECT r.correction_key FROM plan.rows AS r)
