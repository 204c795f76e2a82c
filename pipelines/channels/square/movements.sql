-- grain: one change of the units in stock at one location, as Square came to know it
-- key: movement_id
-- why: explains why a level moved. An adjustment counts by whether it enters or leaves IN_STOCK; what touches other
--      states alone is left out; what comes back without a sale of Square's own (an unlinked return) is a restock, for it may
--      be another system's sale. A count is absolute. `updated_at` is when Square was told: an offline till's sale
--      comes up to 72 hours after it occurred. A change of which it
--      cannot be read whether it touches IN_STOCK is a problem, never left out.
WITH changes AS (
  SELECT
    id AS movement_id,
    from_json(payload, '{"type":"JSON",
      "physical_count":{"catalog_object_id":"JSON","location_id":"JSON","state":"JSON","quantity":"VARCHAR",
        "occurred_at":"VARCHAR","created_at":"VARCHAR"},
      "adjustment":{"catalog_object_id":"JSON","location_id":"JSON","from_state":"JSON","to_state":"JSON",
        "transaction_id":"JSON","quantity":"VARCHAR","occurred_at":"VARCHAR","created_at":"VARCHAR"}}') AS c
  FROM raw_square.inventory_changes
),

flat AS (
  SELECT
    movement_id,
    c.type AS type_json,
    c.physical_count.state AS from_json,
    c.physical_count.state AS to_json,
    c.physical_count.catalog_object_id AS item_json,
    c.physical_count.location_id AS location_json,
    CAST(NULL AS JSON) AS order_json,
    c.physical_count.quantity AS quantity,
    c.physical_count.occurred_at AS occurred_at,
    c.physical_count.created_at AS created_at
  FROM changes
  WHERE as_key(c.type) = 'PHYSICAL_COUNT' AND coalesce(as_key(c.physical_count.state), 'IN_STOCK') = 'IN_STOCK'
  UNION ALL
  SELECT
    movement_id,
    c.type AS type_json,
    c.adjustment.from_state AS from_json,
    c.adjustment.to_state AS to_json,
    c.adjustment.catalog_object_id AS item_json,
    c.adjustment.location_id AS location_json,
    c.adjustment.transaction_id AS order_json,
    c.adjustment.quantity AS quantity,
    c.adjustment.occurred_at AS occurred_at,
    c.adjustment.created_at AS created_at
  FROM changes
  WHERE coalesce(as_key(c.type), 'ADJUSTMENT') = 'ADJUSTMENT'
    AND coalesce((as_key(c.adjustment.from_state) = 'IN_STOCK') <> (as_key(c.adjustment.to_state) = 'IN_STOCK'), TRUE)
),

keyed AS (
  SELECT
    movement_id, type_json, from_json, to_json, item_json, location_json, order_json, quantity, occurred_at, created_at,
    as_key(from_json) AS from_state,
    as_key(to_json) AS to_state
  FROM flat
),

read AS (
  SELECT
    movement_id, type_json, from_json, to_json, item_json, location_json, order_json,
    as_key(item_json) AS vendor_id,
    as_key(location_json) AS vendor_location_id,
    CASE
      WHEN as_key(type_json) = 'PHYSICAL_COUNT' THEN 'count'
      WHEN from_state = 'IN_STOCK' AND to_state IN ('SOLD', 'SOLD_ONLINE') THEN 'sale'
      WHEN to_state = 'IN_STOCK' AND from_state IN ('SOLD', 'SOLD_ONLINE', 'RETURNED_BY_CUSTOMER') THEN 'return'
      WHEN to_state = 'IN_STOCK' AND from_state = 'UNLINKED_RETURN' THEN 'restock'
      WHEN from_state LIKE 'IN_TRANSIT%' OR to_state LIKE 'IN_TRANSIT%' THEN 'transfer'
      WHEN to_state = 'IN_STOCK' THEN 'receipt'
      ELSE 'loss'
    END AS kind,
    quantity AS quantity_text,
    CASE WHEN NOT starts_with(quantity, '-') THEN CASE WHEN to_state = 'IN_STOCK' THEN 1 ELSE -1 END * to_units(quantity) END
      AS quantity,
    to_moment(occurred_at) AS occurred_at,
    to_moment(created_at) AS updated_at
  FROM keyed
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
  CAST(NULL AS VARCHAR) AS hold_id,
  problems([
    key_problem(type_json, 'type'),
    key_problem(from_json, 'state'),
    key_problem(to_json, 'state'),
    key_problem(item_json, 'item'),
    key_problem(location_json, 'location'),
    wrong_type_problem(order_json, 'order', 'VARCHAR'),
    missing_problem(quantity_text IS NULL, 'quantity'),
    count_problem(quantity_text IS NOT NULL AND quantity IS NULL, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    moment_problem(occurred_at IS NULL, 'occurred_at')
  ]) AS problems
FROM read
