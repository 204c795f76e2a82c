-- grain: night; what waited for a person when it ended, and what it wrote and proved; the nights of the trend
WITH nights AS (
  SELECT n.night_id, n.as_of FROM ledger.sync.nights AS n
  WHERE n.kind <> 'adopt' AND n.status IN ('complete', 'partial') AND json_extract(n.summary, '$.scope') IS NULL
    AND n.as_of <= (SELECT m.as_of FROM ledger.sync.nights AS m WHERE m.night_id = $night_id)
  QUALIFY row_number() OVER (ORDER BY n.as_of DESC, n.night_id DESC) <= 30
), verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), counted AS (
  SELECT p.night_id,
    count(*) FILTER (WHERE c.disposition = 'hold' AND v.status IS DISTINCT FROM 'confirmed') AS waiting,
    count(*) FILTER (WHERE v.status = 'confirmed') AS confirmed
  FROM ledger.sync.plans AS p JOIN ledger.sync.corrections AS c ON c.plan_id = p.plan_id
  LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
  GROUP BY p.night_id
)
SELECT n.night_id, n.as_of, coalesce(k.waiting, 0) AS waiting, coalesce(k.confirmed, 0) AS confirmed
FROM nights AS n LEFT JOIN counted AS k ON k.night_id = n.night_id ORDER BY n.as_of, n.night_id
