-- check: What is believed tonight was read tonight: a verdict of "complete" rests on complete reads of this night alone.
-- table: reads.verdicts
-- severity: blocking
WITH last_reads AS (
  SELECT r.system, r.endpoint, arg_max(r.entities, r.finished_at) AS entities,
    arg_max(r.is_complete, r.finished_at) AS is_complete
  FROM ledger.sync.reads AS r
  JOIN estate.night AS n ON n.night_id = r.night_id
  GROUP BY r.system, r.endpoint
)
SELECT v.system, v.entity
FROM reads.verdicts AS v
LEFT JOIN last_reads AS t ON t.system = v.system AND list_contains(t.entities, v.entity)
WHERE v.is_complete
GROUP BY v.system, v.entity
HAVING NOT coalesce(bool_and(t.is_complete), false)
