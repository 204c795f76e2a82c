-- grain: system, entity and class of what the night's plans hold
SELECT c.system, c.entity, c.drift_class, count(*) AS row_count
FROM ledger.sync.corrections AS c JOIN ledger.sync.plans AS p USING (plan_id)
WHERE p.night_id = $night_id
GROUP BY c.system, c.entity, c.drift_class ORDER BY c.system, c.entity, c.drift_class
