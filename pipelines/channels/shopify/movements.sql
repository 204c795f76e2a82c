-- grain: one row per order line and location (units leave), and one per refunded line that went back to the shelf
-- key: movement_id: LineItem gid|Location gid for units sold, Refund gid|LineItem gid for units back
-- why: Shopify shows no log of available units, its orders are one. A line is fulfilled only when no unit of it
--      waits, so a part delivery still counts as open. Cancelled fulfilment orders count only in cancelled orders,
--      where units went back by the refund beside them. A line whose variant is deleted names none: the movement is
--      kept, for the ledger remembers what it was of
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
    r.payload ->> '$.variant.id' AS item_id,
    to_units(r.payload ->> '$.quantity') AS ordered,
    CASE
      WHEN o.cancelled_at IS NOT NULL THEN 'cancelled'
      WHEN TRY_CAST(r.payload ->> '$.unfulfilledQuantity' AS BIGINT) = 0 THEN 'fulfilled'
      ELSE 'open'
    END AS state
  FROM raw_shopify.orders AS r
  INNER JOIN orders AS o ON o.id = r.payload ->> '$.__parentId'
  WHERE r.id LIKE 'gid://shopify/LineItem/%'
),
picks AS (
  SELECT
    id,
    payload ->> '$.assignedLocation.location.id' AS location_id,
    payload ->> '$.status' AS status
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/FulfillmentOrder/%'
),
picked AS (
  SELECT
    payload ->> '$.__parentId' AS pick_id,
    payload ->> '$.lineItem.id' AS line_id,
    payload ->> '$.totalQuantity' AS quantity
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/FulfillmentOrderLineItem/%'
),
sold AS (
  SELECT
    l.id || '|' || p.location_id AS movement_id,
    l.item_id AS vendor_id,
    p.location_id AS vendor_location_id,
    'order' AS kind,
    -sum(to_units(k.quantity)) AS quantity,
    CAST(NULL AS HUGEINT) AS refunded,
    CAST(NULL AS BIGINT) AS ordered,
    l.state AS order_state,
    l.created_at AS occurred_at,
    l.updated_at AS updated_at,
    bool_and(coalesce(to_units(k.quantity) >= 0, false)) AS is_whole
  FROM lines AS l
  INNER JOIN picked AS k ON k.line_id = l.id
  INNER JOIN picks AS p ON p.id = k.pick_id
  WHERE p.status <> 'CANCELLED' OR l.cancelled_at IS NOT NULL
  GROUP BY l.id, p.location_id, l.item_id, l.state, l.created_at, l.updated_at
),
refunds AS (
  SELECT
    split_part(id, '#', 1) AS id,
    payload ->> '$.createdAt' AS created_at,
    unnest(from_json(payload -> '$.refundLineItems.nodes', '[{"quantity": "VARCHAR", "restockType": "VARCHAR",
      "restocked": "VARCHAR", "location": {"id": "VARCHAR"}, "lineItem": {"id": "VARCHAR"}}]')) AS f
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/Refund/%'
),
back AS (
  SELECT
    r.id || '|' || r.f.lineItem.id AS movement_id,
    l.item_id AS vendor_id,
    r.f.location.id AS vendor_location_id,
    CASE r.f.restockType WHEN 'CANCEL' THEN 'cancel' ELSE 'restock' END AS kind,
    sum(to_units(r.f.quantity)) AS quantity,
    sum(sum(to_units(r.f.quantity))) OVER (PARTITION BY r.f.lineItem.id) AS refunded,
    l.ordered AS ordered,
    l.state AS order_state,
    r.created_at AS occurred_at,
    l.updated_at AS updated_at,
    bool_and(coalesce(to_units(r.f.quantity) >= 0, false)) AS is_whole
  FROM refunds AS r
  INNER JOIN lines AS l ON l.id = r.f.lineItem.id
  WHERE r.f.restocked = 'true' AND r.f.restockType <> 'NO_RESTOCK'
  GROUP BY r.id, r.f.lineItem.id, r.f.location.id, r.f.restockType, l.item_id, l.ordered, l.state,
    r.created_at, l.updated_at
),
every AS (
  SELECT movement_id, vendor_id, vendor_location_id, kind, quantity, refunded, ordered, order_state, occurred_at, updated_at,
    is_whole
  FROM sold
  UNION ALL
  SELECT movement_id, vendor_id, vendor_location_id, kind, quantity, refunded, ordered, order_state, occurred_at, updated_at,
    is_whole
  FROM back
)
SELECT
  movement_id,
  vendor_id,
  vendor_location_id,
  kind,
  TRY_CAST(quantity AS BIGINT) AS quantity,
  order_state,
  TRY_CAST(occurred_at AS TIMESTAMPTZ) AS occurred_at,
  TRY_CAST(updated_at AS TIMESTAMPTZ) AS updated_at,
  problems([
    count_problem(NOT is_whole, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    problem(refunded > coalesce(ordered, 0), 'quantity', 'more than sold', 'number'),
    moment_problem(TRY_CAST(occurred_at AS TIMESTAMPTZ) IS NULL, 'occurred_at')
  ]) AS problems
FROM every
WHERE vendor_location_id IS NOT NULL
  AND (vendor_id IS NOT NULL OR (is_whole AND TRY_CAST(occurred_at AS TIMESTAMPTZ) IS NOT NULL))
