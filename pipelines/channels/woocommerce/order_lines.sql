-- grain: one row per order line
-- key: vendor_id (line id)
-- why: what came back stands in the refunds, whose lines name the one sold and count below zero; only those refunds that
--      an order still lists, and whose lines can be read (movements tells of the others). The unit price is that of the line before discounts, with the tax where the shop's prices
--      hold it, half up: WooCommerce keeps lines without tax. A deleted product shows as 0: the line has no item
WITH orders AS (
  SELECT
    id,
    payload ->> '$.currency' AS currency,
    payload ->> '$.prices_include_tax' = 'true' AS includes_tax,
    unnest(CASE WHEN json_type(payload, '$.line_items') = 'ARRAY' THEN from_json(payload -> '$.line_items', '["JSON"]') END)
      AS l
  FROM raw_woocommerce.orders
  WHERE NOT starts_with(id, 'refund:') AND coalesce(payload ->> '$.status', '') NOT IN ('checkout-draft', 'auto-draft')
),

listed AS (
  SELECT id AS order_id, unnest(from_json(payload -> '$.refunds', '[{"id": "VARCHAR"}]')).id AS refund_id
  FROM raw_woocommerce.orders
  WHERE NOT starts_with(id, 'refund:')
),

refunds AS (
  SELECT
    substr(r.id, 8) AS refund_id,
    unnest(CASE WHEN json_type(r.payload, '$.refund.line_items') = 'ARRAY'
      THEN from_json(r.payload -> '$.refund.line_items', '["JSON"]') END) AS l
  FROM raw_woocommerce.orders AS r
  WHERE starts_with(r.id, 'refund:')
),

back AS (
  SELECT
    o.order_id,
    list_filter(from_json(r.l -> '$.meta_data', '[{"key": "VARCHAR", "value": "VARCHAR"}]'),
      lambda m: m.key = '_refunded_item_id')[1].value AS line_id,
    to_units(r.l ->> '$.quantity') AS quantity
  FROM refunds AS r
  INNER JOIN listed AS o ON o.refund_id = r.refund_id
),

returned AS (
  SELECT order_id, line_id, CAST(-sum(quantity) AS BIGINT) AS quantity,
    bool_and(coalesce(quantity <= 0, FALSE)) AS is_whole
  FROM back
  GROUP BY order_id, line_id
),

read AS (
  SELECT
    o.id AS order_id,
    o.l -> '$.id' AS id_json,
    as_number_key(o.l -> '$.id') AS line_id,
    o.l -> '$.product_id' AS product_json,
    o.l -> '$.variation_id' AS variation_json,
    coalesce(nullif(as_number_key(o.l -> '$.variation_id'), '0'), nullif(as_number_key(o.l -> '$.product_id'), '0')) AS item_id,
    o.l -> '$.quantity' AS quantity_json,
    to_units(o.l ->> '$.quantity') AS quantity,
    o.l ->> '$.subtotal' AS subtotal,
    to_minor(o.l ->> '$.subtotal', o.currency) AS net_minor,
    CASE WHEN o.includes_tax THEN to_minor(o.l ->> '$.subtotal_tax', o.currency) ELSE 0 END AS tax_minor,
    wrong_types(json_type(o.l, ['$.subtotal', '$.subtotal_tax']), ['unit', 'unit'])
      || wrong_elements([json_type(o.l)], 'OBJECT', 'line') AS misshapen
  FROM orders AS o
)

SELECT
  r.order_id,
  r.line_id AS vendor_id,
  r.item_id AS vendor_item_id,
  r.quantity,
  coalesce(b.quantity, 0) AS returned,
  CASE WHEN r.quantity > 0 THEN (2 * (r.net_minor + r.tax_minor) + r.quantity) // (2 * r.quantity) END AS unit_minor,
  r.misshapen || problems([
    number_key_problem(r.id_json, 'line'),
    wrong_numbers([json_type(r.product_json)], ['item'])[1],
    wrong_numbers([json_type(r.variation_json)], ['item'])[1],
    wrong_numbers([json_type(r.quantity_json)], ['quantity'])[1],
    count_problem(coalesce(r.quantity, -1) < 0, 'quantity'),
    too_many_problem(r.quantity, 'quantity'),
    count_problem(NOT b.is_whole, 'returned'),
    problem(b.quantity > r.quantity, 'returned', 'more than sold', 'number'),
    amount_problem(r.net_minor IS NULL OR r.tax_minor IS NULL, r.subtotal, 'unit'),
    price_problem(r.net_minor, 'unit')
  ]) AS problems
FROM read AS r
LEFT JOIN returned AS b ON b.order_id = r.order_id AND b.line_id = r.line_id
