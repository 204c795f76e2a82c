-- grain: one item of one system with what is proven about it tonight
-- key: system, vendor_id
-- why: `fields` names what is proven; only these move
WITH equal AS (
  SELECT c.system, c.vendor_id, c.subject_id, c.gtin_observed AS gtin
  FROM compared.items AS c
  JOIN agree.comparable AS t ON t.system = c.system AND t.entity = 'items' AND t.field = 'gtin'
  LEFT JOIN agree.drifted AS d ON d.system = c.system AND d.entity = 'items' AND d.vendor_id = c.vendor_id
  WHERE d.system IS NULL AND c.gtin_desired IS NOT NULL
), written AS (
  SELECT w.system, w.vendor_id, w.subject_id, w.desired AS gtin FROM agree.written AS w WHERE w.entity = 'items' AND w.is_undone IS NOT TRUE AND w.field = 'gtin'
)
SELECT e.system, e.vendor_id, e.subject_id AS item_id, e.gtin, ['gtin'] AS fields
FROM equal AS e WHERE NOT EXISTS (SELECT 1 FROM written AS w WHERE w.system = e.system AND w.vendor_id = e.vendor_id)
UNION ALL
SELECT w.system, w.vendor_id, w.subject_id, w.gtin, ['gtin'] FROM written AS w
