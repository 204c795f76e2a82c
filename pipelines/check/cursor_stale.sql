-- check: Every endpoint was read completely within two days, and whole (a census) within nine.
-- table: reads.verdicts
-- severity: warning
SELECT c.system, c.endpoint AS entity, c.cursor_at
FROM ledger.sync.cursors AS c
JOIN estate.systems AS e ON e.system = c.system
CROSS JOIN estate.night AS n
WHERE c.cursor_at < n.as_of - INTERVAL 2 DAY OR c.census_at < n.as_of - INTERVAL 9 DAY
