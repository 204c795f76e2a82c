-- grain: night, system, entity and class; the last 30 nights up to this one; new drift, not what was carried
-- why: a night on which nothing moved is a night of zeros, not a gap; first nights, dry runs, narrowed and broken ones say
--      nothing of the trend, and what such a run saw first counts for the night after it
WITH counted AS (
  SELECT n.night_id, n.as_of, n.kind, lag(n.as_of) OVER (ORDER BY n.as_of, n.night_id) AS since
  FROM ledger.sync.nights AS n
  WHERE n.status IN ('complete', 'partial') AND json_extract(n.summary, '$.scope') IS NULL
    AND n.as_of <= (SELECT m.as_of FROM ledger.sync.nights AS m WHERE m.night_id = $night_id)
), nights AS (
  SELECT k.night_id, k.as_of, k.since FROM counted AS k WHERE k.kind <> 'adopt'
  QUALIFY row_number() OVER (ORDER BY k.as_of DESC, k.night_id DESC) <= 30
), first_seen AS (
  SELECT c.correction_key, n.as_of
  FROM ledger.sync.corrections AS c
  JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
  JOIN ledger.sync.nights AS n ON n.night_id = p.night_id
  WHERE c.is_new
), moved AS (
  SELECT DISTINCT n.night_id, c.correction_key, c.system, c.entity, c.drift_class
  FROM nights AS n
  JOIN ledger.sync.plans AS p ON p.night_id = n.night_id
  JOIN ledger.sync.corrections AS c ON c.plan_id = p.plan_id
  JOIN first_seen AS f ON f.correction_key = c.correction_key AND f.as_of <= n.as_of
    AND f.as_of > coalesce(n.since, '-infinity'::TIMESTAMPTZ)
)
SELECT n.night_id, n.as_of, m.system, m.entity, m.drift_class, count(m.correction_key) AS row_count
FROM nights AS n LEFT JOIN moved AS m ON m.night_id = n.night_id
GROUP BY n.night_id, n.as_of, m.system, m.entity, m.drift_class
ORDER BY n.as_of, n.night_id, m.system, m.entity, m.drift_class
