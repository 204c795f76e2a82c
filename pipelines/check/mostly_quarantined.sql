-- check: Less than a tenth of an entity's records are in quarantine; more is a changed format, not bad rows.
-- table: reads.verdicts
-- severity: blocking
SELECT k.system, k.entity
FROM (
  SELECT o.system, 'items' AS entity, count(*) AS kept FROM observed.items AS o GROUP BY o.system
  UNION ALL
  SELECT o.system, 'prices', count(*) FROM observed.prices AS o GROUP BY o.system
  UNION ALL
  SELECT o.system, 'customers', count(*) FROM staged.customers AS o GROUP BY o.system
) AS k
JOIN (
  SELECT q.system, q.entity, count(DISTINCT q.vendor_id) AS out FROM staged.quarantine AS q GROUP BY q.system, q.entity
) AS q ON q.system = k.system AND q.entity = k.entity
WHERE q.out > 20 AND q.out * 10 > k.kept
