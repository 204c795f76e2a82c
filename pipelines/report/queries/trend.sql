-- grain: night and system; the last 30 nights up to this one; new drift, not what was carried
SELECT n.night_id, n.as_of, c.system, count(*) FILTER (WHERE c.is_new) AS row_count
FROM ledger.sync.nights AS n
JOIN ledger.sync.plans AS p ON p.night_id = n.night_id
JOIN ledger.sync.corrections AS c ON c.plan_id = p.plan_id
WHERE n.as_of <= (SELECT m.as_of FROM ledger.sync.nights AS m WHERE m.night_id = $night_id)
GROUP BY n.night_id, n.as_of, c.system
QUALIFY dense_rank() OVER (ORDER BY n.as_of DESC) <= 30
ORDER BY n.as_of, c.system
