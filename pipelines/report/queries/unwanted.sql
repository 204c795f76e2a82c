-- grain: system, entity, field and request that waits to be carried out; the values in it that the night's plan asks for no more
-- why: only the youngest request of a value counts; a night that did not look at all of it knows nothing of the kind
WITH verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.rowid) AS status
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), pushed AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.rowid) AS status, arg_max(x.request_id, x.rowid) AS request_id,
    max(x.at) AS asked_at, max(x.rowid) AS place
  FROM ledger.sync.outcomes AS x GROUP BY plan_id, correction_key
), latest AS (
  SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.desired, o.request_id, o.asked_at, q.seconds,
    coalesce(v.status, 'settling') AS seen, n.as_of
  FROM ledger.sync.corrections AS c
  JOIN ledger.sync.nights AS n ON n.night_id = $night_id AND json_extract(n.summary, '$.scope') IS NULL
  JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id AND p.as_of <= n.as_of
  JOIN policy.requests AS q ON q.system = c.system AND q.entity = c.entity
  JOIN pushed AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key AND o.status = 'applied'
  LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
  QUALIFY row_number() OVER (
    PARTITION BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id ORDER BY o.asked_at DESC, o.place DESC) = 1
), wanted AS (
  SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.desired
  FROM ledger.sync.corrections AS c JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id WHERE p.night_id = $night_id
)
SELECT l.system, l.entity, l.field, l.request_id AS request, min(l.asked_at) AS asked_at, count(*) AS row_count
FROM latest AS l
WHERE l.seen IN ('settling', 'unconfirmed') AND l.asked_at + to_seconds(l.seconds) > l.as_of
  AND NOT EXISTS (
    SELECT 1 FROM wanted AS w
    WHERE w.system = l.system AND w.entity = l.entity AND w.field = l.field AND w.vendor_id = l.vendor_id
      AND w.vendor_sub_id = l.vendor_sub_id AND w.desired IS NOT DISTINCT FROM l.desired)
  AND NOT EXISTS (
    SELECT 1 FROM ledger.sync.reads AS r
    WHERE r.night_id = $night_id AND r.system = l.system AND NOT r.is_complete AND list_contains(r.entities, l.entity))
GROUP BY l.system, l.entity, l.field, l.request_id ORDER BY asked_at, l.system, l.entity, l.field, request
