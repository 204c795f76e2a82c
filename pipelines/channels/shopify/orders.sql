-- grain: one row per order
-- key: vendor_id (Order gid)
-- why: orders, lines, fulfilment orders and refunds are rows of one raw table, told apart by their gid. The location
--      is that of the first fulfilment order; fulfilled means that no unit of any line waits
WITH orders AS (
  SELECT
    id,
    from_json(payload, '{"createdAt": "VARCHAR", "updatedAt": "VARCHAR", "cancelledAt": "VARCHAR",
      "currencyCode": "VARCHAR", "customer": {"id": "JSON"},
      "totalPriceSet": {"shopMoney": {"amount": "VARCHAR"}}}') AS o,
    json_type(payload, ['$.customer', '$.customer.id']) AS types
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/Order/%'
),
totals AS (
  SELECT
    id, o, types,
    o.totalPriceSet.shopMoney.amount AS total,
    to_minor(o.totalPriceSet.shopMoney.amount, o.currencyCode) AS total_minor
  FROM orders
),
waiting AS (
  SELECT
    payload ->> '$.__parentId' AS order_id,
    sum(to_units(payload ->> '$.unfulfilledQuantity')) AS units,
    bool_and(coalesce(to_units(payload ->> '$.unfulfilledQuantity') >= 0, false)) AS is_whole
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/LineItem/%'
  GROUP BY payload ->> '$.__parentId'
),
places AS (
  SELECT
    payload ->> '$.__parentId' AS order_id,
    min_by(as_key(payload -> '$.assignedLocation.location.id'), id) AS location_id
  FROM raw_shopify.orders
  WHERE id LIKE 'gid://shopify/FulfillmentOrder/%'
  GROUP BY payload ->> '$.__parentId'
)
SELECT
  x.id AS vendor_id,
  p.location_id AS vendor_location_id,
  as_key(x.o.customer.id) AS vendor_customer_id,
  x.o.currencyCode AS currency,
  x.total_minor,
  CASE WHEN x.o.cancelledAt IS NOT NULL THEN 'cancelled' WHEN coalesce(w.units, 0) = 0 THEN 'fulfilled' ELSE 'open' END AS state,
  to_moment(x.o.createdAt) AS created_at,
  to_moment(x.o.updatedAt) AS updated_at,
  wrong_kinds(x.types, ['OBJECT', 'VARCHAR'], ['customer', 'customer']) || problems([
    count_problem(NOT w.is_whole, 'state'),
    moment_problem(x.o.cancelledAt IS NOT NULL AND to_moment(x.o.cancelledAt) IS NULL, 'cancelled_at'),
    unknown_problem(currency_digits(x.o.currencyCode) IS NULL, 'currency', 'currency'),
    amount_problem(currency_digits(x.o.currencyCode) IS NOT NULL AND x.total_minor IS NULL, x.total, 'total'),
    total_problem(x.total_minor, 'total'),
    moment_problem(to_moment(x.o.createdAt) IS NULL, 'created_at')
  ]) AS problems
FROM totals AS x
LEFT JOIN waiting AS w ON w.order_id = x.id
LEFT JOIN places AS p ON p.order_id = x.id
