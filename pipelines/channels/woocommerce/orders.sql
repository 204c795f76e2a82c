-- grain: one row per order; carts that are still at the checkout are left out
-- key: vendor_id (order id)
-- why: completed means that the units have left, and so they had in an order that was refunded since. What failed was
--      never paid: it is as good as cancelled. A guest's order names customer 0: nobody. There is one place, 'shop'
WITH given AS (
  SELECT
    id,
    payload ->> '$.status' AS status,
    payload -> '$.customer_id' AS customer_json,
    payload ->> '$.currency' AS currency,
    payload ->> '$.total' AS total,
    payload ->> '$.date_created_gmt' AS created,
    payload ->> '$.date_modified_gmt' AS modified,
    wrong_kinds(
      json_type(payload, ['$.status', '$.currency', '$.total', '$.line_items', '$.refunds', '$.prices_include_tax']),
      ['VARCHAR', 'VARCHAR', 'VARCHAR', 'ARRAY', 'ARRAY', 'BOOLEAN'],
      ['state', 'currency', 'total', 'line_items', 'refunds', 'tax']
    ) || wrong_elements(json_type(payload, '$.refunds[*].id'), 'UBIGINT', 'refunds')
      || wrong_elements(json_type(payload, '$.line_items[*]'), 'OBJECT', 'line_items')
      || wrong_elements(json_type(payload, '$.refunds[*]'), 'OBJECT', 'refunds') AS misshapen
  FROM raw_woocommerce.orders
  WHERE NOT starts_with(id, 'refund:')
),

read AS (
  SELECT
    id, status, customer_json, currency, total, created, modified, misshapen,
    to_minor(total, currency) AS total_minor
  FROM given
  WHERE coalesce(status, '') NOT IN ('checkout-draft', 'auto-draft')
)

SELECT
  id AS vendor_id,
  'shop' AS vendor_location_id,
  nullif(as_number_key(customer_json), '0') AS vendor_customer_id,
  currency,
  total_minor,
  CASE
    WHEN status IN ('completed', 'refunded') THEN 'fulfilled'
    WHEN status IN ('cancelled', 'failed', 'trash') THEN 'cancelled'
    WHEN status IN ('pending', 'on-hold', 'processing') THEN 'open'
  END AS state,
  to_moment(created || 'Z') AS created_at,
  to_moment(modified || 'Z') AS updated_at,
  misshapen || problems([
    wrong_numbers([json_type(customer_json)], ['customer'])[1],
    unknown_problem(currency_digits(currency) IS NULL, 'currency', 'currency'),
    amount_problem(currency_digits(currency) IS NOT NULL AND total_minor IS NULL, total, 'total'),
    total_problem(total_minor, 'total'),
    problem(coalesce(status, '') NOT IN
      ('completed', 'refunded', 'cancelled', 'failed', 'trash', 'pending', 'on-hold', 'processing'),
      'state', 'not a known status', 'unknown value'),
    moment_problem(to_moment(created || 'Z') IS NULL, 'created_at')
  ]) AS problems
FROM read
