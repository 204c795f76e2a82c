-- grain: system and entity; where each correction of the night stands now
-- why: confirmed, unproved, untaken, unpushed, waiting, refused, not_writable, observed and answered add up to planned
WITH verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status, max(x.at) AS seen_at
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), pushed AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.outcomes AS x GROUP BY plan_id, correction_key
), allowed AS (
  SELECT DISTINCT plan_id, correction_key FROM ledger.sync.approvals
), stands AS (
  SELECT c.system, c.entity, c.is_new, c.disposition, o.status AS outcome, v.seen_at,
    CASE WHEN v.status = 'confirmed' THEN 'confirmed'
         WHEN o.status IN ('applied', 'unknown') THEN 'unproved'
         WHEN o.status IS NOT NULL THEN 'untaken'
         WHEN c.disposition = 'approve' OR a.plan_id IS NOT NULL THEN 'unpushed'
         ELSE c.disposition END AS state
  FROM ledger.sync.corrections AS c
  JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
  LEFT JOIN pushed AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
  LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
  LEFT JOIN allowed AS a ON a.plan_id = c.plan_id AND a.correction_key = c.correction_key
  WHERE p.night_id = $night_id
)
SELECT s.system, s.entity,
  count(*) AS planned,
  count(*) FILTER (WHERE s.is_new) AS new,
  count(*) FILTER (WHERE s.disposition = 'approve') AS approved,
  count(*) FILTER (WHERE s.disposition = 'hold') AS held,
  count(*) FILTER (WHERE s.outcome = 'applied') AS pushed,
  count(*) FILTER (WHERE s.state = 'confirmed') AS confirmed,
  count(*) FILTER (WHERE s.state = 'unproved') AS unproved,
  count(*) FILTER (WHERE s.state = 'untaken') AS untaken,
  count(*) FILTER (WHERE s.state = 'unpushed') AS unpushed,
  count(*) FILTER (WHERE s.state = 'hold') AS waiting,
  count(*) FILTER (WHERE s.state = 'refuse') AS refused,
  count(*) FILTER (WHERE s.state = 'not_writable') AS not_writable,
  count(*) FILTER (WHERE s.state = 'observe') AS observed,
  count(*) FILTER (WHERE s.state IN ('pin', 'reject')) AS answered,
  max(s.seen_at) AS seen_at
FROM stands AS s GROUP BY s.system, s.entity ORDER BY s.system, s.entity
