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
)
SELECT
  o.id AS order_id,
  x.id AS vendor_id,
  as_key(x.l.variant.id) AS vendor_item_id,
  to_units(x.l.quantity) AS quantity,
  to_units(x.l.quantity) - to_units(x.l.currentQuantity) AS returned,
  to_minor(x.l.originalUnitPriceSet.shopMoney.amount, o.currency) AS unit_minor,
  wrong_kinds(x.types, ['OBJECT', 'VARCHAR'], ['item', 'item']) || problems([
    key_problem(x.l.__parentId, 'order'),
    count_problem(coalesce(to_units(x.l.quantity), -1) < 0, 'quantity'),
    too_many_problem(to_units(x.l.quantity), 'quantity'),
    count_problem(coalesce(to_units(x.l.currentQuantity), -1) < 0, 'returned'),
    problem(to_units(x.l.quantity) >= 0 AND to_units(x.l.currentQuantity) > to_units(x.l.quantity), 'returned', 'more than sold', 'number'),
    amount_problem(o.id IS NOT NULL AND to_minor(x.l.originalUnitPriceSet.shopMoney.amount, o.currency) IS NULL, x.l.originalUnitPriceSet.shopMoney.amount, 'unit_price'),
    price_problem(to_minor(x.l.originalUnitPriceSet.shopMoney.amount, o.currency), 'unit_price')
  ]) AS problems
FROM lines AS x
LEFT JOIN orders AS o ON o.id = as_key(x.l.__parentId)
WHERE o.id IS NOT NULL OR as_key(x.l.__parentId) IS NULL
