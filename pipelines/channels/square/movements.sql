-- grain: one change of the units in stock at one location, as Square came to know it
-- key: movement_id
-- why: explains why a level moved. An adjustment counts by whether it enters or leaves IN_STOCK; what touches other
--      states alone is left out. A count is absolute. `updated_at` is when Square was told: an offline till's sale
--      comes up to 72 hours after it occurred.
WITH changes AS (
  SELECT
    id AS movement_id,
    from_json(payload, '{"type":"VARCHAR",
      "physical_count":{"catalog_object_id":"VARCHAR","location_id":"VARCHAR","state":"VARCHAR","quantity":"VARCHAR",
        "occurred_at":"VARCHAR","created_at":"VARCHAR"},
      "adjustment":{"catalog_object_id":"VARCHAR","location_id":"VARCHAR","from_state":"VARCHAR","to_state":"VARCHAR",
        "quantity":"VARCHAR","occurred_at":"VARCHAR","created_at":"VARCHAR"}}') AS c
  FROM raw_square.inventory_changes
),

flat AS (
  SELECT
    movement_id,
    c.physical_count.catalog_object_id AS vendor_id,
    c.physical_count.location_id AS vendor_location_id,
    'count' AS kind,
    1 AS direction,
    c.physical_count.quantity AS quantity,
    c.physical_count.occurred_at AS occurred_at,
    c.physical_count.created_at AS created_at
  FROM changes
  WHERE c.type = 'PHYSICAL_COUNT' AND c.physical_count.state = 'IN_STOCK'
  UNION ALL
  SELECT
    movement_id,
    c.adjustment.catalog_object_id AS vendor_id,
    c.adjustment.location_id AS vendor_location_id,
    CASE
      WHEN c.adjustment.from_state = 'IN_STOCK' AND c.adjustment.to_state IN ('SOLD', 'SOLD_ONLINE') THEN 'sale'
      WHEN c.adjustment.to_state = 'IN_STOCK'
        AND c.adjustment.from_state IN ('SOLD', 'SOLD_ONLINE', 'UNLINKED_RETURN', 'RETURNED_BY_CUSTOMER') THEN 'return'
      WHEN c.adjustment.from_state LIKE 'IN_TRANSIT%' OR c.adjustment.to_state LIKE 'IN_TRANSIT%' THEN 'transfer'
      WHEN c.adjustment.to_state = 'IN_STOCK' THEN 'receipt'
      ELSE 'loss'
    END AS kind,
    CASE WHEN c.adjustment.to_state = 'IN_STOCK' THEN 1 ELSE -1 END AS direction,
    c.adjustment.quantity AS quantity,
    c.adjustment.occurred_at AS occurred_at,
    c.adjustment.created_at AS created_at
  FROM changes
  WHERE c.type = 'ADJUSTMENT'
    AND (c.adjustment.from_state = 'IN_STOCK') <> (c.adjustment.to_state = 'IN_STOCK')
),

read AS (
  SELECT
    movement_id,
    vendor_id,
    vendor_location_id,
    kind,
    quantity AS quantity_text,
    CASE WHEN NOT starts_with(quantity, '-') THEN direction * to_units(quantity) END AS quantity,
    TRY_CAST(occurred_at AS TIMESTAMPTZ) AS occurred_at,
    TRY_CAST(created_at AS TIMESTAMPTZ) AS updated_at
  FROM flat
)

SELECT
  movement_id,
  vendor_id,
  vendor_location_id,
  kind,
  quantity,
  CAST(NULL AS VARCHAR) AS order_state,
  occurred_at,
  updated_at,
  problems([
    missing_problem(quantity_text IS NULL, 'quantity'),
    count_problem(quantity_text IS NOT NULL AND quantity IS NULL, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    moment_problem(occurred_at IS NULL, 'occurred_at')
  ]) AS problems
FROM read
