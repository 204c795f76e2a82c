-- check: A system still has at least half of the records that it agreed on before.
-- table: reads.verdicts
-- severity: warning
SELECT b.system, b.entity
FROM (
  SELECT i.system, 'items' AS entity, count(*) AS agreed FROM ledger.agreed.items AS i GROUP BY i.system
  UNION ALL
  SELECT p.system, 'prices', count(*) FROM ledger.agreed.prices AS p GROUP BY p.system
  UNION ALL
  SELECT s.system, 'stock', count(*) FROM ledger.agreed.stock AS s GROUP BY s.system
  UNION ALL
  SELECT c.system, 'customers', count(*) FROM ledger.agreed.customers AS c GROUP BY c.system
  UNION ALL
  SELECT c.system, 'consents', count(*) FROM ledger.agreed.consents AS c GROUP BY c.system
) AS b
JOIN (
  SELECT i.system, 'items' AS entity, count(*) AS staged FROM staged.items AS i GROUP BY i.system
  UNION ALL
  SELECT p.system, 'prices', count(*) FROM staged.prices AS p GROUP BY p.system
  UNION ALL
  SELECT s.system, 'stock', count(*) FROM staged.stock AS s GROUP BY s.system
  UNION ALL
  SELECT c.system, 'customers', count(*) FROM staged.customers AS c GROUP BY c.system
  UNION ALL
  SELECT c.system, 'consents', count(*) FROM staged.consents AS c GROUP BY c.system
) AS s ON s.system = b.system AND s.entity = b.entity
WHERE b.agreed > 20 AND s.staged * 2 < b.agreed
