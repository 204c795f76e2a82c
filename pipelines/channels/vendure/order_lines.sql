-- grain: one row per order line
-- key: vendor_id (OrderLine id)
-- why: a line's quantity is what is left of it: what was taken back or cancelled is the difference from what was placed and
--      added later. Unit prices hold the tax. A line whose variant was deleted still names it
WITH listed AS (
  SELECT
    id AS order_id,
    payload ->> '$.currencyCode' AS currency,
    payload -> '$.modifications' AS modifications,
    unnest(CASE WHEN json_type(payload, '$.lines') = 'ARRAY' THEN from_json(payload -> '$.lines', '["JSON"]') ELSE [NULL] END)
      AS line
  FROM raw_vendure.orders
  WHERE json_type(payload, '$.lines') IS DISTINCT FROM 'ARRAY' OR json_array_length(payload, '$.lines') > 0
),
added AS (
  SELECT order_id, line ->> '$.orderLineId' AS line_id, sum(to_units(line ->> '$.quantity')) AS quantity
  FROM (
    SELECT id AS order_id, unnest(from_json(payload -> '$.modifications[*].lines[*]', '["JSON"]')) AS line
    FROM raw_vendure.orders
  )
  WHERE to_units(line ->> '$.quantity') > 0
  GROUP BY order_id, line ->> '$.orderLineId'
),
shop AS (
  SELECT TRY_CAST(max(payload ->> '$.settings.serverConfig.moneyStrategyPrecision') AS INTEGER) AS digits FROM raw_vendure.shop
),
read AS (
  SELECT
    l.order_id,
    l.currency,
    l.line -> '$.id' AS line_json,
    l.line -> '$.productVariant.id' AS item_json,
    to_units(l.line ->> '$.orderPlacedQuantity') + coalesce(a.quantity, 0) AS quantity,
    to_units(l.line ->> '$.quantity') AS kept,
    l.line ->> '$.unitPriceWithTax' AS unit,
    CASE WHEN s.digits BETWEEN 0 AND 6 AND regexp_full_match(l.line ->> '$.unitPriceWithTax', '-?[0-9]{1,15}')
      THEN to_minor(CAST(CAST(TRY_CAST(l.line ->> '$.unitPriceWithTax' AS DECIMAL(24, 6)) / CAST(power(10, s.digits) AS BIGINT)
        AS DECIMAL(24, 6)) AS VARCHAR), l.currency) END AS unit_minor
  FROM listed AS l
  LEFT JOIN added AS a ON a.order_id = l.order_id AND a.line_id = l.line ->> '$.id'
  CROSS JOIN shop AS s
)
SELECT
  order_id,
  as_key(line_json) AS vendor_id,
  as_key(item_json) AS vendor_item_id,
  quantity,
  quantity - kept AS returned,
  unit_minor,
  problems([
    key_problem(line_json, 'order_line'),
    key_problem(item_json, 'item'),
    count_problem(coalesce(quantity, -1) < 0, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    count_problem(coalesce(kept, -1) < 0, 'returned'),
    problem(quantity >= 0 AND kept > quantity, 'returned', 'more than sold', 'number'),
    amount_problem(currency_digits(currency) IS NOT NULL AND unit_minor IS NULL, unit, 'unit_price'),
    price_problem(unit_minor, 'unit_price')
  ]) AS problems
FROM read
