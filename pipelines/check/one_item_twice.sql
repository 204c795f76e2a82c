-- check: No system holds one item under two records.
-- table: observed.items
-- severity: warning
SELECT i.system, 'items' AS entity, i.item_id
FROM observed.items AS i
GROUP BY i.system, i.item_id
HAVING count(*) > 1
