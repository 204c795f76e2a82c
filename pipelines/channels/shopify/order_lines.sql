-- grain: one row per order line
-- key: vendor_id (LineItem gid)
-- why: what came back or was taken out is the difference between the quantity sold and the current one; a line
--      whose variant was deleted has no item; one of a deleted order is left out, one of no order is a problem
WITH lines AS (
  SELECT
    r.id,
    from_json(r.payload, '{"__parentId": "JSON", "quantity": "VARCHAR", "currentQuantity": "VARCHAR",
      "variant": {"id": "JSON"}, "originalUnitPriceSet": {"shopMoney": {"amount": "VARCHAR"}}}') AS l,
    json_type(r.payload, ['$.variant', '$.variant.id']) AS types
  FROM raw_shopify.orders AS r
  WHERE r.id LIKE 'gid://shopify/LineItem/%'
),
orders AS (
  SELECT id, payload ->> '$.currencyCode' AS currency FROM raw_shopify.orders WHERE id LIKE 'gid://shopify/Order/%'
),
read AS (
  SELECT
    x.id,
    o.id AS order_id,
    x.types,
    x.l.__parentId AS order_json,
    as_key(x.l.variant.id) AS vendor_item_id,
    to_units(x.l.quantity) AS quantity,
    to_units(x.l.currentQuantity) AS kept,
    x.l.originalUnitPriceSet.shopMoney.amount AS unit,
    to_minor(x.l.originalUnitPriceSet.shopMoney.amount, o.currency) AS unit_minor
  FROM lines AS x
  LEFT JOIN orders AS o ON o.id = as_key(x.l.__parentId)
  WHERE o.id IS NOT NULL OR as_key(x.l.__parentId) IS NULL
)
SELECT
  order_id,
  id AS vendor_id,
  vendor_item_id,
  quantity,
  quantity - kept AS returned,
  unit_minor,
  wrong_kinds(types, ['OBJECT', 'VARCHAR'], ['item', 'item']) || problems([
    key_problem(order_json, 'order'),
    count_problem(coalesce(quantity, -1) < 0, 'quantity'),
    too_many_problem(quantity, 'quantity'),
    count_problem(coalesce(kept, -1) < 0, 'returned'),
    problem(quantity >= 0 AND kept > quantity, 'returned', 'more than sold', 'number'),
    amount_problem(order_id IS NOT NULL AND unit_minor IS NULL, unit, 'unit_price'),
    price_problem(unit_minor, 'unit_price')
  ]) AS problems
FROM read
