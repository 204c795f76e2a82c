-- grain: one line of one order of the till
-- key: order_id, vendor_id
-- why: what came back may stand in the same order or in a later one; both point at the line they return.
WITH read AS (
  SELECT
    id AS order_id,
    from_json(payload, '{"state":"VARCHAR",
      "line_items":[{"uid":"JSON","catalog_object_id":"JSON","quantity":"VARCHAR",
        "base_price_money":{"amount":"JSON"}}],
      "returns":[{"source_order_id":"VARCHAR",
        "return_line_items":[{"source_line_item_uid":"VARCHAR","quantity":"VARCHAR"}]}]}') AS o
  FROM raw_square.orders
),

lines AS (
  SELECT order_id, unnest(o.line_items) AS line
  FROM read
  WHERE o.state IS DISTINCT FROM 'DRAFT'
),

returns AS (
  SELECT back.source_order_id AS source_order_id, unnest(back.return_line_items) AS line
  FROM (SELECT unnest(o.returns) AS back FROM read) AS unnested
),

returned AS (
  SELECT
    source_order_id,
    line.source_line_item_uid AS line_uid,
    sum(to_units(line.quantity)) AS returned,
    bool_and(coalesce(to_units(line.quantity) >= 0, FALSE)) AS is_whole
  FROM returns
  GROUP BY source_order_id, line.source_line_item_uid
),

flat AS (
  SELECT
    order_id,
    line.uid AS uid_json,
    as_key(line.uid) AS line_uid,
    line.catalog_object_id AS item_json,
    as_key(line.catalog_object_id) AS vendor_item_id,
    line.quantity AS quantity_text,
    to_units(line.quantity) AS quantity,
    line.base_price_money.amount AS unit_json,
    CASE WHEN json_type(line.base_price_money.amount) IN ('UBIGINT', 'BIGINT')
      THEN TRY_CAST(line.base_price_money.amount ->> '$' AS BIGINT) END AS unit_minor
  FROM lines
)

SELECT
  l.order_id,
  l.line_uid AS vendor_id,
  l.vendor_item_id,
  l.quantity,
  TRY_CAST(coalesce(r.returned, 0) AS BIGINT) AS returned,
  l.unit_minor,
  problems([
    key_problem(l.uid_json, 'line'),
    wrong_type_problem(l.item_json, 'item', 'VARCHAR'),
    missing_problem(l.quantity_text IS NULL, 'quantity'),
    count_problem(l.quantity_text IS NOT NULL AND l.quantity IS NULL, 'quantity'),
    large_problem(l.quantity <= 0, 'quantity'),
    too_many_problem(l.quantity, 'quantity'),
    count_problem(NOT r.is_whole, 'returned'),
    problem(coalesce(r.returned, 0) > l.quantity, 'returned', 'more than sold', 'number'),
    problem(
      l.unit_minor IS NULL AND json_type(l.unit_json) <> 'NULL', 'unit', 'not a whole number', lower(json_type(l.unit_json))
    ),
    price_problem(l.unit_minor, 'unit')
  ]) AS problems
FROM flat AS l
LEFT JOIN returned AS r ON r.source_order_id = l.order_id AND r.line_uid = l.line_uid
