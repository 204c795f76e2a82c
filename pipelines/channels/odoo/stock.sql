-- grain: units of one storable variant in one warehouse
-- key: vendor_id, vendor_location_id
-- why: a shop is a warehouse; its units may lie on several shelves (internal locations), in several lots, each a quant.
--      Odoo drops quants of 0, so a storable variant without any has none there: 0, not unknown. What is reserved is
--      committed. Below zero is oversold, as Odoo allows it. Locations of no warehouse are no shop's. A quant that
--      cannot be told to be of a product or a place is a problem by itself.
WITH products AS (
  SELECT
    id AS vendor_id,
    to_moment((payload ->> '$.write_date') || 'Z') AS updated_at
  FROM raw_odoo.products
  WHERE payload ->> '$.is_storable' = 'true'
),

warehouses AS (
  SELECT id AS warehouse_id
  FROM raw_odoo.warehouses
  WHERE coalesce(payload ->> '$.active', 'true') = 'true'
),

places AS (
  SELECT id AS place_id, as_number_key(payload -> '$.warehouse_id') AS warehouse_id
  FROM raw_odoo.locations
),

quants AS (
  SELECT
    q.id AS quant_id,
    q.payload -> '$.product_id' AS item_json,
    q.payload -> '$.location_id' AS location_json,
    q.payload -> '$.quantity' AS quantity_json,
    q.payload -> '$.reserved_quantity' AS reserved_json,
    as_number_key(q.payload -> '$.product_id') AS vendor_id,
    p.warehouse_id,
    to_units(q.payload ->> '$.quantity') AS quantity,
    to_units(coalesce(q.payload ->> '$.reserved_quantity', '0')) AS reserved,
    to_moment((q.payload ->> '$.write_date') || 'Z') AS updated_at
  FROM raw_odoo.quants AS q
  LEFT JOIN places AS p ON p.place_id = as_number_key(q.payload -> '$.location_id')
),

levels AS (
  SELECT
    vendor_id,
    warehouse_id,
    CAST(sum(quantity) AS BIGINT) AS on_hand,
    CAST(sum(reserved) AS BIGINT) AS committed,
    bool_and(quantity IS NOT NULL) AS is_whole,
    bool_and(reserved IS NOT NULL) AS is_reserved_whole,
    max(updated_at) AS updated_at
  FROM quants
  WHERE vendor_id IS NOT NULL AND warehouse_id IS NOT NULL
  GROUP BY vendor_id, warehouse_id
)

SELECT
  p.vendor_id,
  w.warehouse_id AS vendor_location_id,
  coalesce(l.on_hand, 0) AS on_hand,
  coalesce(l.committed, 0) AS committed,
  coalesce(l.on_hand, 0) - coalesce(l.committed, 0) AS available,
  TRUE AS is_tracked,
  CAST(NULL AS VARCHAR) AS version,
  coalesce(l.updated_at, p.updated_at) AS updated_at,
  '{}' AS write_context,
  problems([
    count_problem(NOT l.is_whole, 'on_hand'),
    too_many_problem(l.on_hand, 'on_hand'),
    count_problem(NOT l.is_reserved_whole, 'committed'),
    too_many_problem(l.committed, 'committed')
  ]) AS problems
FROM products AS p
CROSS JOIN warehouses AS w
LEFT JOIN levels AS l ON l.vendor_id = p.vendor_id AND l.warehouse_id = w.warehouse_id
UNION ALL
SELECT
  vendor_id, warehouse_id, quantity, reserved, CAST(NULL AS BIGINT), TRUE, CAST(NULL AS VARCHAR), updated_at, '{}',
  problems([number_key_problem(item_json, 'item'), number_key_problem(location_json, 'location')])
FROM quants
WHERE as_number_key(item_json) IS NULL OR as_number_key(location_json) IS NULL
