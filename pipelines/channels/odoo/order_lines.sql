-- grain: one line of an order of the till that sold something
-- key: order_id, vendor_id
-- why: a line below zero takes units of an earlier line back, and is counted there as returned; where Odoo does not name
--      that line (goods brought without a receipt) it belongs to no sale.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"order_id":"JSON","product_id":"JSON","qty":"JSON","price_unit":"JSON",
      "price_subtotal_incl":"JSON","refunded_orderline_id":"JSON"}') AS o
  FROM raw_odoo.order_lines
),

returned AS (
  SELECT
    as_number_key(o.refunded_orderline_id) AS vendor_id,
    CAST(-sum(to_units(o.qty ->> '$')) AS BIGINT) AS returned,
    bool_and(to_units(o.qty ->> '$') IS NOT NULL) AS is_whole
  FROM read
  WHERE as_number_key(o.refunded_orderline_id) IS NOT NULL AND coalesce(TRY_CAST(o.qty ->> '$' AS DOUBLE) < 0, TRUE)
  GROUP BY as_number_key(o.refunded_orderline_id)
),

currencies AS (
  SELECT id AS order_id, payload ->> '$.currency_id[1]' AS currency
  FROM raw_odoo.orders
),

flat AS (
  SELECT
    l.vendor_id,
    l.o AS o,
    c.currency,
    to_units(l.o.qty ->> '$') AS quantity,
    coalesce(TRY_CAST(l.o.qty ->> '$' AS DOUBLE) < 0, FALSE) AS is_back,
    coalesce(r.returned, 0) AS returned,
    r.is_whole,
    wrong_numbers(
      [json_type(l.o.qty), json_type(l.o.price_unit), json_type(l.o.price_subtotal_incl),
        json_type(l.o.refunded_orderline_id)],
      ['quantity', 'unit', 'total', 'returns']
    ) || problems([
      number_key_problem(l.o.order_id, 'order'),
      number_key_problem(l.o.product_id, 'item')
    ]) AS misshapen
  FROM read AS l
  LEFT JOIN returned AS r ON r.vendor_id = l.vendor_id
  LEFT JOIN currencies AS c ON c.order_id = as_number_key(l.o.order_id)
)

SELECT
  as_number_key(o.order_id) AS order_id,
  vendor_id,
  as_number_key(o.product_id) AS vendor_item_id,
  quantity,
  returned,
  to_minor(o.price_unit ->> '$', currency) AS unit_minor,
  CASE WHEN is_back THEN misshapen ELSE misshapen || problems([
    missing_problem(coalesce(json_type(o.qty), 'NULL') = 'NULL', 'quantity'),
    count_problem(quantity IS NULL AND json_type(o.qty) <> 'NULL', 'quantity'),
    large_problem(quantity = 0, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    count_problem(NOT is_whole, 'returned'),
    problem(returned > quantity, 'returned', 'more than sold', 'number'),
    amount_problem(
      currency_digits(currency) IS NOT NULL AND json_type(o.price_unit) <> 'NULL'
        AND to_minor(o.price_unit ->> '$', currency) IS NULL,
      o.price_unit ->> '$', 'unit'
    ),
    price_problem(to_minor(o.price_unit ->> '$', currency), 'unit')
  ]) END AS problems
FROM flat
WHERE NOT is_back OR len(misshapen) > 0
