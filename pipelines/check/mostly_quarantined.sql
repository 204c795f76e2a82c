-- check: Less than a tenth of an entity's records are in quarantine; more is a changed format, not bad rows.
-- table: reads.verdicts
-- severity: blocking
SELECT q.system, q.entity
FROM (
  SELECT x.system, x.entity, count(DISTINCT x.vendor_id) AS out FROM staged.quarantine AS x
  WHERE x.entity IN ('items', 'prices', 'customers')
  GROUP BY x.system, x.entity
) AS q
LEFT JOIN (
  SELECT o.system, 'items' AS entity, count(*) AS kept FROM observed.items AS o GROUP BY o.system
  UNION ALL
  SELECT o.system, 'prices', count(*) FROM observed.prices AS o GROUP BY o.system
  UNION ALL
  SELECT o.system, 'customers', count(*) FROM staged.customers AS o GROUP BY o.system
) AS k ON k.system = q.system AND k.entity = q.entity
WHERE q.out > 20 AND q.out * 10 > coalesce(k.kept, 0)
