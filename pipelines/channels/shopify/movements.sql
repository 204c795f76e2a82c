-- grain: one row per order line and location (units leave), and one per refunded line that went back to the shelf
-- key: movement_id: LineItem gid|Location gid for units sold, Refund gid|LineItem gid for units back
-- why: Shopify shows no log of available units, its orders are one. A line is fulfilled only when no unit of it
--      waits, so a part delivery still counts as open. Cancelled fulfilment orders count only in cancelled orders,
--      where units went back by the refund beside them. A line whose variant is deleted names none: the movement is
--      kept, for the ledger remembers what it was of. A place that is null was deleted: what an open order takes must have
--      one. Units that wait to be picked up there name their hold (holds.sql). What cannot be told to belong to an order, a line or a place is a problem, never left out
WITH orders AS (
  SELECT
    id,
    payload ->> '$.createdAt' AS created_at,
    payload ->> '$.updatedAt' AS updated_at,
    payload ->> '$.cancelledAt' AS cancelled_at
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/Order/%'
),
lines AS (
  SELECT
    r.id,
    o.created_at,
    o.updated_at,
    o.cancelled_at,
    as_key(r.payload -> '$.variant.id') AS item_id,
    to_units(r.payload ->> '$.quantity') AS ordered,
    CASE
      WHEN o.cancelled_at IS NOT NULL THEN 'cancelled'
      WHEN to_units(r.payload ->> '$.unfulfilledQuantity') = 0 THEN 'fulfilled'
      ELSE 'open'
    END AS state,
    wrong_kinds(json_type(r.payload, ['$.variant']), ['OBJECT'], ['item'])
    || problems([
      CASE WHEN json_type(r.payload, '$.variant') = 'OBJECT' THEN key_problem(r.payload -> '$.variant.id', 'item') END,
      key_problem(r.payload -> '$.__parentId', 'order'),
      moment_problem(o.cancelled_at IS NOT NULL AND to_moment(o.cancelled_at) IS NULL, 'cancelled_at'),
      count_problem(coalesce(to_units(r.payload ->> '$.unfulfilledQuantity'), -1) < 0, 'order_state')
    ]) AS misshapen
  FROM raw_shopify.orders AS r
  LEFT JOIN orders AS o ON o.id = as_key(r.payload -> '$.__parentId')
  WHERE r.id LIKE 'gid://shopify/LineItem/%' AND (o.id IS NOT NULL OR as_key(r.payload -> '$.__parentId') IS NULL)
),
picks AS (
  SELECT
    id,
    as_key(payload -> '$.assignedLocation.location.id') AS location_id,
    json_type(payload, '$.assignedLocation.location') = 'NULL' AS is_of_deleted_place,
    as_key(payload -> '$.status') AS status,
    coalesce(as_key(payload -> '$.deliveryMethod.methodType') = 'PICK_UP', false) AS is_pickup,
    len(wrong_kinds(json_type(payload, ['$.deliveryMethod', '$.deliveryMethod.methodType']), ['OBJECT', 'VARCHAR'],
      ['delivery', 'delivery'])) > 0 AS is_of_no_method
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/FulfillmentOrder/%'
),
picked AS (
  SELECT
    as_key(payload -> '$.__parentId') AS pick_id,
    as_key(payload -> '$.lineItem.id') AS line_id,
    payload ->> '$.totalQuantity' AS quantity
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/FulfillmentOrderLineItem/%'
),
sold AS (
  SELECT
    l.id AS line_id,
    l.item_id,
    p.location_id,
    l.state,
    l.created_at,
    l.updated_at,
    l.misshapen,
    -sum(to_units(k.quantity)) AS quantity,
    bool_and(coalesce(to_units(k.quantity) >= 0, false)) AS is_whole,
    bool_or(k.pick_id IS NULL) AS is_of_no_pick,
    bool_or(p.id IS NOT NULL AND p.status IS NULL) AS is_of_no_status,
    bool_and(coalesce(p.is_pickup, false)) AS is_pickup,
    bool_or(coalesce(p.is_of_no_method, false)) AS is_of_no_method
  FROM picked AS k
  LEFT JOIN picks AS p ON p.id = k.pick_id
  LEFT JOIN lines AS l ON l.id = k.line_id
  WHERE (p.id IS NOT NULL OR k.pick_id IS NULL) AND (l.id IS NOT NULL OR k.line_id IS NULL)
    AND (coalesce(p.status, '') <> 'CANCELLED' OR l.cancelled_at IS NOT NULL)
    AND NOT coalesce(p.is_of_deleted_place AND l.state <> 'open', false)
  GROUP BY l.id, l.item_id, p.location_id, l.state, l.created_at, l.updated_at, l.misshapen
),
refunds AS (
  SELECT
    split_part(id, '#', 1) AS id,
    payload ->> '$.createdAt' AS created_at,
    unnest(CASE WHEN json_type(payload, '$.refundLineItems.nodes') = 'ARRAY'
      THEN from_json(payload -> '$.refundLineItems.nodes', '[{"quantity": "VARCHAR", "restockType": "JSON",
        "restocked": "JSON", "location": "JSON", "lineItem": {"id": "JSON"}}]') ELSE [NULL] END) AS f
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/Refund/%'
),
returned AS (
  SELECT
    id,
    created_at,
    as_key(f.lineItem.id) AS line_id,
    as_key(f.location -> '$.id') AS location_id,
    coalesce(json_type(f.location) = 'NULL', false) AS is_of_deleted_place,
    as_key(f.restockType) AS restock_type,
    CASE WHEN json_type(f.restocked) = 'BOOLEAN' THEN f.restocked ->> '$' = 'true' END AS is_restocked,
    f.quantity AS quantity
  FROM refunds
),
back AS (
  SELECT
    r.id,
    r.created_at,
    l.id AS line_id,
    l.item_id,
    r.location_id,
    r.restock_type,
    l.state,
    l.ordered,
    l.updated_at,
    l.misshapen,
    sum(to_units(r.quantity)) AS quantity,
    sum(sum(to_units(r.quantity))) OVER (PARTITION BY l.id) AS refunded,
    bool_and(coalesce(to_units(r.quantity) >= 0, false)) AS is_whole,
    bool_and(r.is_restocked IS NOT NULL) AS is_told
  FROM returned AS r
  LEFT JOIN lines AS l ON l.id = r.line_id
  WHERE (l.id IS NOT NULL OR r.line_id IS NULL) AND NOT r.is_of_deleted_place
    AND coalesce(r.is_restocked, true) AND coalesce(r.restock_type, '') <> 'NO_RESTOCK'
  GROUP BY r.id, r.created_at, l.id, l.item_id, r.location_id, r.restock_type, l.state, l.ordered, l.updated_at, l.misshapen
),
every AS (
  SELECT
    line_id || '|' || location_id AS movement_id, line_id, item_id, location_id, 'order' AS kind, quantity, is_whole, state,
    created_at AS occurred_at, updated_at, CASE WHEN is_pickup THEN line_id || '|' || location_id END AS hold_id,
    coalesce(misshapen, []) || problems([
      missing_problem(is_of_no_pick, 'fulfillment_order'),
      missing_problem(is_of_no_status, 'status'),
      problem(is_of_no_method, 'delivery', 'wrong type', 'unknown value')
    ]) AS misshapen
  FROM sold
  UNION ALL
  SELECT
    b.id || '|' || b.line_id, b.line_id, b.item_id, b.location_id, CASE b.restock_type WHEN 'CANCEL' THEN 'cancel' ELSE 'restock' END,
    b.quantity, b.is_whole, b.state, b.created_at, b.updated_at, CASE WHEN s.is_pickup THEN b.line_id || '|' || b.location_id END,
    coalesce(b.misshapen, []) || problems([
      missing_problem(b.restock_type IS NULL, 'kind'),
      problem(NOT b.is_told, 'restocked', 'not true or false', 'unknown value'),
      problem(b.line_id IS NOT NULL AND b.refunded > coalesce(b.ordered, 0), 'quantity', 'more than sold', 'number')
    ])
  FROM back AS b
  LEFT JOIN sold AS s ON s.line_id = b.line_id AND s.location_id = b.location_id
)
SELECT
  movement_id,
  item_id AS vendor_id,
  location_id AS vendor_location_id,
  kind,
  TRY_CAST(quantity AS BIGINT) AS quantity,
  state AS order_state,
  to_moment(occurred_at) AS occurred_at,
  to_moment(updated_at) AS updated_at,
  hold_id,
  misshapen || problems([
    missing_problem(line_id IS NULL, 'order_line'),
    missing_problem(location_id IS NULL, 'location'),
    count_problem(NOT is_whole, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    moment_problem(line_id IS NOT NULL AND to_moment(occurred_at) IS NULL, 'occurred_at')
  ]) AS problems
FROM every
