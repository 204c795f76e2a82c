-- grain: one order of the till; drafts are left out
-- key: vendor_id
-- why: orders are a ledger of what was sold where; totals in minor units of their own currency. Lines and
--      returns that cannot be told apart (order_lines) are a problem of their order.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"location_id":"JSON","customer_id":"JSON","state":"VARCHAR","created_at":"VARCHAR",
      "updated_at":"VARCHAR","total_money":{"amount":"JSON","currency":"VARCHAR"}}') AS o,
    payload -> '$.line_items' AS line_items,
    payload -> '$.returns' AS returns,
    wrong_kinds(json_type(payload, ['$.line_items', '$.returns', '$.customer_id']), ['ARRAY', 'ARRAY', 'VARCHAR'],
      ['line_items', 'returns', 'customer'])
    || wrong_elements(json_type(line_items, '$[*]'), 'OBJECT', 'line_items')
    || wrong_elements(json_type(line_items, '$[*].base_price_money'), 'OBJECT', 'line_items')
    || wrong_elements(json_type(returns, '$[*]'), 'OBJECT', 'returns')
    || wrong_elements(json_type(returns, '$[*].source_order_id'), 'VARCHAR', 'returns')
    || wrong_elements(json_type(returns, '$[*].return_line_items'), 'ARRAY', 'returns')
    || wrong_elements(json_type(returns, '$[*].return_line_items[*]'), 'OBJECT', 'returns')
    || wrong_elements(json_type(returns, '$[*].return_line_items[*].source_line_item_uid'), 'VARCHAR', 'returns')
      AS misshapen
  FROM raw_square.orders
),

flat AS (
  SELECT
    vendor_id,
    misshapen,
    o.location_id AS location_json,
    as_key(o.location_id) AS vendor_location_id,
    as_key(o.customer_id) AS vendor_customer_id,
    o.total_money.currency AS currency,
    o.total_money.amount AS total_json,
    CASE WHEN json_type(o.total_money.amount) IN ('UBIGINT', 'BIGINT')
      THEN TRY_CAST(o.total_money.amount ->> '$' AS BIGINT) END AS total_minor,
    CASE o.state WHEN 'OPEN' THEN 'open' WHEN 'COMPLETED' THEN 'fulfilled' WHEN 'CANCELED' THEN 'cancelled' END
      AS state,
    to_moment(o.created_at) AS created_at,
    to_moment(o.updated_at) AS updated_at
  FROM read
  WHERE o.state IS DISTINCT FROM 'DRAFT'
)

SELECT
  vendor_id,
  vendor_location_id,
  vendor_customer_id,
  currency,
  total_minor,
  state,
  created_at,
  updated_at,
  misshapen || problems([
    key_problem(location_json, 'location'),
    missing_problem(coalesce(json_type(total_json), 'NULL') = 'NULL', 'total'),
    problem(
      total_minor IS NULL AND json_type(total_json) <> 'NULL', 'total', 'not a whole number', lower(json_type(total_json))
    ),
    total_problem(total_minor, 'total'),
    missing_problem(currency IS NULL, 'currency'),
    unknown_problem(currency IS NOT NULL AND currency_digits(currency) IS NULL, 'currency', 'currency'),
    unknown_problem(state IS NULL, 'state', 'state'),
    moment_problem(created_at IS NULL, 'created_at')
  ]) AS problems
FROM flat
