-- grain: one done move of units into or out of one warehouse; a move between two is one of each
-- key: movement_id
-- why: explains why a level moved. Where a move began and ended says its kind; within one warehouse it changes nothing.
--      What the till sold or took back has left or come (fulfilled), whoever the authority is. A count that we wrote
--      bears the level in its name, and is absolute; a person's adjustment is a difference. A move may be in another unit
--      than its product (dozens bought): levels are in the product's, and so is what is told here. A move of which it
--      cannot be read what or where, or in which unit, is a problem, never left out.
WITH moves AS (
  SELECT
    id,
    from_json(payload, '{"product_id":"JSON","product_uom":"JSON","location_id":"JSON","location_dest_id":"JSON",
      "quantity":"JSON","inventory_name":"VARCHAR","date":"VARCHAR","write_date":"VARCHAR"}') AS o,
    wrong_kinds(json_type(payload, ['$.is_inventory', '$.inventory_name']), ['BOOLEAN', 'VARCHAR'], ['kind', 'kind'])
    || wrong_numbers(json_type(payload, ['$.quantity']), ['quantity'])
    || problems([
      number_key_problem(payload -> '$.product_id', 'item'),
      number_key_problem(payload -> '$.product_uom', 'unit'),
      number_key_problem(payload -> '$.location_id', 'location'),
      number_key_problem(payload -> '$.location_dest_id', 'location')
    ]) AS misshapen,
    coalesce(payload ->> '$.is_inventory' = 'true', FALSE) AS is_inventory
  FROM raw_odoo.moves
),

places AS (
  SELECT id AS place_id, payload ->> '$.usage' AS usage, as_number_key(payload -> '$.warehouse_id') AS warehouse_id
  FROM raw_odoo.locations
),

units AS (
  SELECT
    id AS unit_id,
    CASE WHEN json_type(payload, '$.factor') IN ('DOUBLE', 'UBIGINT')
      THEN nullif(TRY_CAST(payload ->> '$.factor' AS DOUBLE), 0) END AS factor
  FROM raw_odoo.units
),

products AS (
  SELECT p.id AS product_id, as_number_key(p.payload -> '$.uom_id[0]') AS unit_id, u.factor
  FROM raw_odoo.products AS p
  LEFT JOIN units AS u ON u.unit_id = as_number_key(p.payload -> '$.uom_id[0]')
),

measured AS (
  SELECT
    m.id,
    CASE WHEN p.unit_id = as_number_key(m.o.product_uom) THEN 1 ELSE u.factor / p.factor END AS units_each,
    TRY_CAST(m.o.quantity ->> '$' AS DOUBLE) * u.factor / p.factor AS amount
  FROM moves AS m
  LEFT JOIN products AS p ON p.product_id = as_number_key(m.o.product_id)
  LEFT JOIN units AS u ON u.unit_id = as_number_key(m.o.product_uom)
),

placed AS (
  SELECT
    m.id,
    m.misshapen,
    m.is_inventory,
    as_number_key(m.o.product_id) AS vendor_id,
    m.o.quantity ->> '$' AS quantity_text,
    CASE
      WHEN c.units_each = 1 THEN to_units(m.o.quantity ->> '$')
      WHEN abs(c.amount - round(c.amount)) < 0.000001 THEN TRY_CAST(round(c.amount) AS BIGINT)
    END AS quantity,
    c.units_each IS NULL AS is_other_unit,
    TRY_CAST(regexp_extract(m.o.inventory_name, '^trueup: counted (-?[0-9]{1,9})$', 1) AS BIGINT) AS counted,
    m.o.date AS occurred_at,
    m.o.write_date AS updated_at,
    a.usage AS from_usage,
    b.usage AS to_usage,
    CASE WHEN a.usage = 'internal' THEN a.warehouse_id END AS from_id,
    CASE WHEN b.usage = 'internal' THEN b.warehouse_id END AS to_id
  FROM moves AS m
  LEFT JOIN measured AS c ON c.id = m.id
  LEFT JOIN places AS a ON a.place_id = as_number_key(m.o.location_id)
  LEFT JOIN places AS b ON b.place_id = as_number_key(m.o.location_dest_id)
),

sided AS (
  SELECT
    id || '|out' AS movement_id, misshapen, is_other_unit, is_inventory, vendor_id, from_id AS vendor_location_id, quantity_text,
    -quantity AS quantity, counted, occurred_at, updated_at, to_usage AS other_usage, TRUE AS is_out
  FROM placed
  WHERE from_id IS NOT NULL AND from_id IS DISTINCT FROM to_id
  UNION ALL
  SELECT
    id || '|in', misshapen, is_other_unit, is_inventory, vendor_id, to_id, quantity_text, quantity, counted, occurred_at,
    updated_at, from_usage, FALSE
  FROM placed
  WHERE to_id IS NOT NULL AND to_id IS DISTINCT FROM from_id
  UNION ALL
  SELECT
    id, misshapen, is_other_unit, is_inventory, vendor_id, NULL, quantity_text, quantity, counted, occurred_at,
    updated_at, NULL, FALSE
  FROM placed
  WHERE len(misshapen) > 0 AND from_id IS NULL AND to_id IS NULL
),

kinds AS (
  SELECT
    movement_id, misshapen, is_other_unit, vendor_id, vendor_location_id, quantity_text, quantity, counted, occurred_at,
    updated_at,
    CASE
      WHEN is_inventory AND counted IS NOT NULL THEN 'count'
      WHEN is_inventory THEN 'adjustment'
      WHEN other_usage = 'customer' AND is_out THEN 'sale'
      WHEN other_usage = 'customer' THEN 'return'
      WHEN other_usage IN ('internal', 'transit') THEN 'transfer'
      WHEN is_out THEN 'loss'
      ELSE 'receipt'
    END AS kind
  FROM sided
)

SELECT
  movement_id,
  vendor_id,
  vendor_location_id,
  kind,
  CASE WHEN kind = 'count' THEN counted ELSE quantity END AS quantity,
  CASE WHEN kind IN ('sale', 'return') THEN 'fulfilled' END AS order_state,
  to_moment(occurred_at || 'Z') AS occurred_at,
  to_moment(updated_at || 'Z') AS updated_at,
  CAST(NULL AS VARCHAR) AS hold_id,
  misshapen || problems([
    missing_problem(quantity_text IS NULL, 'quantity'),
    unknown_problem(is_other_unit AND len(misshapen) = 0, 'unit', 'unit'),
    count_problem(quantity_text IS NOT NULL AND quantity IS NULL AND NOT is_other_unit, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    moment_problem(to_moment(occurred_at || 'Z') IS NULL, 'occurred_at')
  ]) AS problems
FROM kinds
