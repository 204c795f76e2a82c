-- grain: one order line that a customer picks up at one location
-- key: hold_id: LineItem gid|Location gid, as the movement of its units
-- why: local pickup is a fulfilment order whose delivery method is PICK_UP. Shopify knows no expiry of it. A cancelled order
--      whose fulfilment order is still open has left the goods behind the counter: its hold is an orphan. What cannot be
--      read is a problem of its movement, which freezes the item there
WITH picks AS (
  SELECT
    as_key(k.payload -> '$.lineItem.id') AS line_id,
    as_key(p.payload -> '$.assignedLocation.location.id') AS location_id,
    bool_or(as_key(p.payload -> '$.status') IN ('OPEN', 'IN_PROGRESS', 'ON_HOLD', 'SCHEDULED')) AS is_waiting
  FROM raw_shopify.orders AS k
  JOIN raw_shopify.orders AS p ON p.id = as_key(k.payload -> '$.__parentId')
  WHERE k.id LIKE 'gid://shopify/FulfillmentOrderLineItem/%' AND p.id LIKE 'gid://shopify/FulfillmentOrder/%'
  GROUP BY as_key(k.payload -> '$.lineItem.id'), as_key(p.payload -> '$.assignedLocation.location.id')
)
SELECT
  m.hold_id,
  as_key(l.payload -> '$.__parentId') AS order_id,
  CAST(NULL AS VARCHAR) AS reference,
  m.vendor_id,
  m.vendor_location_id,
  -m.quantity AS quantity,
  CAST(0 AS BIGINT) AS taken,
  CASE
    WHEN m.order_state = 'fulfilled' THEN 'collected'
    WHEN m.order_state = 'cancelled' AND k.is_waiting THEN 'orphaned'
    WHEN m.order_state = 'cancelled' THEN 'cancelled'
    ELSE 'placed'
  END AS state,
  m.occurred_at AS placed_at,
  CAST(NULL AS TIMESTAMPTZ) AS expires_at,
  m.updated_at
FROM shopify.movements AS m
JOIN raw_shopify.orders AS l ON l.id = split_part(m.hold_id, '|', 1)
LEFT JOIN picks AS k ON k.line_id = split_part(m.hold_id, '|', 1) AND k.location_id = m.vendor_location_id
WHERE m.hold_id IS NOT NULL AND m.kind = 'order'
