-- grain: one place that an order to roll back is about, with what stands there now
-- key: system, entity, field, vendor_id, vendor_sub_id
-- why: a plan's values are long, the trees are wide. A level is the one that was written only while the system still has
--   the same part in it: what lies there for the place's authority, what can be sold elsewhere. Nothing is said of
--   permissions: none is undone
WITH places AS (
  SELECT DISTINCT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id
  FROM reconcile.rollback_said AS s
  JOIN ledger.sync.corrections AS c ON c.plan_id = s.plan_id AND c.correction_key = s.correction_key
)
SELECT p.system, p.entity, p.field, p.vendor_id, p.vendor_sub_id,
  CAST(CASE p.field WHEN 'amount' THEN o.amount WHEN 'compare_at' THEN o.compare_at END AS VARCHAR) AS value, o.currency
FROM places AS p
JOIN observed.prices AS o ON o.system = p.system AND o.vendor_id = p.vendor_id AND o.vendor_price_list = p.vendor_sub_id
WHERE p.entity = 'prices'
UNION ALL
SELECT p.system, p.entity, p.field, p.vendor_id, p.vendor_sub_id, CAST(o.quantity AS VARCHAR), NULL
FROM places AS p
JOIN observed.stock AS o ON o.system = p.system AND o.vendor_id = p.vendor_id AND o.vendor_location_id = p.vendor_sub_id
JOIN estate.stock_rules AS r ON r.location_id = o.location_id
WHERE p.entity = 'stock' AND p.field = CASE WHEN r.authority = o.system THEN 'on_hand' ELSE 'available' END
UNION ALL
SELECT p.system, p.entity, p.field, p.vendor_id, p.vendor_sub_id, o.gtin, NULL
FROM places AS p
JOIN observed.items AS o ON o.system = p.system AND o.vendor_id = p.vendor_id
WHERE p.entity = 'items' AND p.field = 'gtin'
UNION ALL
SELECT p.system, p.entity, p.field, p.vendor_id, p.vendor_sub_id,
  CASE p.field WHEN 'first_name' THEN o.first_name WHEN 'last_name' THEN o.last_name WHEN 'phone' THEN o.phone
    WHEN 'street' THEN o.street WHEN 'city' THEN o.city WHEN 'postcode' THEN o.postcode
    WHEN 'loyalty_points' THEN o.loyalty_points END, NULL
FROM places AS p
JOIN observed.customers AS o ON o.system = p.system AND o.vendor_id = p.vendor_id
WHERE p.entity = 'customers'
