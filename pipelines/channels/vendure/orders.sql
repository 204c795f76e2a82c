-- grain: one row per order that was placed
-- key: vendor_id (Order id)
-- why: an order does not say where it goes out from: that is the estate's word (the option order_location), else the only
--      stock location there is. Fulfilled means that every unit that is still ordered left; cancelled, that none is
WITH orders AS (
  SELECT
    id,
    from_json(payload, '{"createdAt": "VARCHAR", "updatedAt": "VARCHAR", "orderPlacedAt": "VARCHAR", "state": "VARCHAR",
      "currencyCode": "VARCHAR", "totalWithTax": "VARCHAR", "customer": {"id": "JSON"}, "lines": "JSON"}') AS o,
    json_type(payload, ['$.customer', '$.customer.id', '$.lines', '$.state']) AS types
  FROM raw_vendure.orders
),
shop AS (
  SELECT
    max(payload ->> '$.orderLocation') AS order_location,
    TRY_CAST(max(payload ->> '$.settings.serverConfig.moneyStrategyPrecision') AS INTEGER) AS digits
  FROM raw_vendure.shop
),
places AS (
  SELECT CASE WHEN count(*) = 1 THEN max(id) END AS only_location FROM raw_vendure.locations
),
read AS (
  SELECT
    x.id, x.o, x.types,
    coalesce(s.order_location, p.only_location) AS location_id,
    CASE WHEN s.digits BETWEEN 0 AND 6 AND regexp_full_match(x.o.totalWithTax, '-?[0-9]{1,15}')
      THEN CAST(CAST(TRY_CAST(x.o.totalWithTax AS DECIMAL(24, 6)) / CAST(power(10, s.digits) AS BIGINT) AS DECIMAL(24, 6))
        AS VARCHAR) END AS total
  FROM orders AS x
  CROSS JOIN shop AS s
  CROSS JOIN places AS p
)
SELECT
  id AS vendor_id,
  location_id AS vendor_location_id,
  as_key(o.customer.id) AS vendor_customer_id,
  o.currencyCode AS currency,
  to_minor(total, o.currencyCode) AS total_minor,
  CASE WHEN o.state = 'Cancelled' THEN 'cancelled' WHEN o.state IN ('Shipped', 'Delivered') THEN 'fulfilled' ELSE 'open' END
    AS state,
  to_moment(coalesce(o.orderPlacedAt, o.createdAt)) AS created_at,
  to_moment(o.updatedAt) AS updated_at,
  wrong_kinds(types, ['OBJECT', 'VARCHAR', 'ARRAY', 'VARCHAR'], ['customer', 'customer', 'lines', 'state']) || problems([
    blank_problem(nullif(o.state, ''), 'state'),
    unknown_problem(currency_digits(o.currencyCode) IS NULL, 'currency', 'currency'),
    amount_problem(currency_digits(o.currencyCode) IS NOT NULL AND to_minor(total, o.currencyCode) IS NULL,
      o.totalWithTax, 'total'),
    total_problem(to_minor(total, o.currencyCode), 'total'),
    moment_problem(to_moment(coalesce(o.orderPlacedAt, o.createdAt)) IS NULL, 'created_at')
  ]) AS problems
FROM read
