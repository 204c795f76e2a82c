-- grain: one order of the till that sold something; drafts are never read
-- key: vendor_id
-- why: Odoo keeps what came back as an order of its own with quantities below zero; it stands at the lines that it
--      returns (order_lines). An exchange counts with what it sold. Totals are with tax, in the order's own currency.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"config_id":"JSON","partner_id":"JSON","currency_id":"JSON","amount_total":"JSON",
      "state":"VARCHAR","date_order":"VARCHAR","write_date":"VARCHAR"}') AS o,
    wrong_kinds(json_type(payload, ['$.config_id', '$.partner_id', '$.state', '$.currency_id', '$.currency_id[1]']),
      ['ARRAY', 'ARRAY', 'VARCHAR', 'ARRAY', 'VARCHAR'], ['location', 'customer', 'state', 'currency', 'currency'])
    || wrong_numbers(json_type(payload, ['$.amount_total', '$.partner_id[0]']), ['total', 'customer']) AS misshapen
  FROM raw_odoo.orders
),

lines AS (
  SELECT
    as_number_key(payload -> '$.order_id') AS order_id,
    TRY_CAST(payload ->> '$.qty' AS DOUBLE) < 0 AS is_back,
    payload ->> '$.price_subtotal_incl' AS total
  FROM raw_odoo.order_lines
),

sold AS (
  SELECT
    order_id,
    bool_or(is_back) AS has_back,
    bool_and(is_back) AS is_all_back,
    CAST(sum(TRY_CAST(total AS DECIMAL(18, 3))) FILTER (NOT is_back) AS VARCHAR) AS total
  FROM lines
  WHERE order_id IS NOT NULL
  GROUP BY order_id
),

shops AS (
  SELECT r.id AS register_id, as_number_key(t.payload -> '$.warehouse_id') AS warehouse_id
  FROM raw_odoo.registers AS r
  LEFT JOIN raw_odoo.picking_types AS t ON t.id = as_number_key(r.payload -> '$.picking_type_id')
),

flat AS (
  SELECT
    r.vendor_id,
    r.misshapen,
    r.o.config_id -> '$[0]' AS register_json,
    s.warehouse_id AS vendor_location_id,
    as_number_key(r.o.partner_id -> '$[0]') AS vendor_customer_id,
    r.o.currency_id ->> '$[1]' AS currency,
    CASE WHEN l.has_back THEN l.total ELSE r.o.amount_total ->> '$' END AS total,
    CASE WHEN r.o.state = 'cancel' THEN 'cancelled' WHEN r.o.state IN ('paid', 'done', 'invoiced') THEN 'fulfilled' END
      AS state,
    to_moment(r.o.date_order || 'Z') AS created_at,
    to_moment(r.o.write_date || 'Z') AS updated_at
  FROM read AS r
  LEFT JOIN sold AS l ON l.order_id = r.vendor_id
  LEFT JOIN shops AS s ON s.register_id = as_number_key(r.o.config_id -> '$[0]')
  WHERE NOT coalesce(l.is_all_back, FALSE)
)

SELECT
  vendor_id,
  vendor_location_id,
  vendor_customer_id,
  currency,
  to_minor(total, currency) AS total_minor,
  state,
  created_at,
  updated_at,
  misshapen || problems([
    number_key_problem(register_json, 'location'),
    missing_problem(total IS NULL, 'total'),
    missing_problem(currency IS NULL, 'currency'),
    unknown_problem(currency IS NOT NULL AND currency_digits(currency) IS NULL, 'currency', 'currency'),
    amount_problem(
      currency_digits(currency) IS NOT NULL AND total IS NOT NULL AND to_minor(total, currency) IS NULL, total, 'total'
    ),
    total_problem(to_minor(total, currency), 'total'),
    unknown_problem(state IS NULL, 'state', 'state'),
    moment_problem(created_at IS NULL, 'created_at')
  ]) AS problems
FROM flat
