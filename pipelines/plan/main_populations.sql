-- grain: how many values of one entity a system holds
-- key: system, entity
-- why: caps are a share of this
SELECT o.system, 'items' AS entity, count(*) AS row_count FROM observed.items AS o GROUP BY o.system
UNION ALL
SELECT o.system, 'prices', count(*) FROM observed.prices AS o GROUP BY o.system
UNION ALL
SELECT o.system, 'stock', count(*) FROM observed.stock AS o GROUP BY o.system
UNION ALL
SELECT o.system, 'customers', count(*) FROM observed.customers AS o GROUP BY o.system
