-- grain: one row per order line (units leave), one more where the order was cancelled, and one per refunded line whose
--      units went back to the shelf
-- key: movement_id: line id for units sold, line id|cancel, refund id|line id for units back
-- why: WooCommerce shows no log of its stock, its orders are one. Units leave with the statuses on-hold, processing and
--      completed; pending and failed orders take none, cancelling gives all back that no refund gave. A refund gives
--      back only what the shop notes on the line sold (_restock_refunded_items), the earliest refunds first. A line whose
--      product is deleted names none: kept, for the ledger remembers what it was of
WITH lines AS (
  SELECT
    id AS order_id,
    payload ->> '$.status' AS status,
    payload ->> '$.date_created_gmt' AS created,
    payload ->> '$.date_modified_gmt' AS modified,
    unnest(CASE WHEN json_type(payload, '$.line_items') = 'ARRAY' THEN from_json(payload -> '$.line_items', '["JSON"]') END)
      AS l
  FROM raw_woocommerce.orders
  WHERE NOT starts_with(id, 'refund:')
),

taken AS (
  SELECT
    order_id,
    status,
    created,
    modified,
    l -> '$.id' AS id_json,
    as_number_key(l -> '$.id') AS line_id,
    coalesce(nullif(as_number_key(l -> '$.variation_id'), '0'), nullif(as_number_key(l -> '$.product_id'), '0')) AS item_id,
    to_units(l ->> '$.quantity') AS quantity,
    list_filter(from_json(l -> '$.meta_data', '[{"key": "VARCHAR", "value": "VARCHAR"}]'),
      lambda m: m.key = '_restock_refunded_items')[1].value AS restocked_text,
    CASE
      WHEN status IN ('completed', 'refunded') THEN 'fulfilled'
      WHEN status = 'cancelled' THEN 'cancelled'
      ELSE 'open'
    END AS state,
    wrong_numbers(json_type(l, ['$.product_id', '$.variation_id', '$.quantity']), ['item', 'item', 'quantity'])
      || wrong_elements([json_type(l)], 'OBJECT', 'line')
      || wrong_kinds(json_type(l, ['$.meta_data']), ['ARRAY'], ['restocked'])
      || wrong_elements(json_type(l, '$.meta_data[*]'), 'OBJECT', 'restocked')
      || wrong_elements(json_type(l, '$.meta_data[*].key'), 'VARCHAR', 'restocked') AS misshapen
  FROM lines
  WHERE coalesce(status, '') NOT IN ('pending', 'failed', 'checkout-draft', 'auto-draft', 'trash')
),

sold AS (
  SELECT
    order_id, status, created, modified, id_json, line_id, item_id, quantity, state,
    coalesce(to_units(restocked_text), 0) AS restocked,
    misshapen || problems([
      count_problem(restocked_text IS NOT NULL AND to_units(restocked_text) IS NULL, 'restocked')
    ]) AS misshapen
  FROM taken
),

listed AS (
  SELECT id AS order_id, unnest(from_json(payload -> '$.refunds', '[{"id": "VARCHAR"}]')).id AS refund_id
  FROM raw_woocommerce.orders
  WHERE NOT starts_with(id, 'refund:')
),

refunds AS (
  SELECT
    substr(id, 8) AS refund_id,
    payload ->> '$.refund.date_created_gmt' AS created,
    unnest(CASE WHEN json_type(payload, '$.refund.line_items') = 'ARRAY'
      THEN from_json(payload -> '$.refund.line_items', '["JSON"]') ELSE [NULL] END) AS l
  FROM raw_woocommerce.orders
  WHERE starts_with(id, 'refund:')
),

returned AS (
  SELECT
    r.refund_id,
    o.order_id,
    r.created,
    list_filter(from_json(r.l -> '$.meta_data', '[{"key": "VARCHAR", "value": "JSON"}]'),
      lambda m: m.key = '_refunded_item_id')[1].value AS line_json,
    CASE WHEN json_type(r.l, '$.quantity') IN ('BIGINT', 'UBIGINT') THEN -to_units(r.l ->> '$.quantity') END AS quantity
  FROM refunds AS r
  INNER JOIN listed AS o ON o.refund_id = r.refund_id
),

named AS (
  SELECT refund_id, order_id, created, quantity,
    CASE WHEN json_type(line_json) IN ('VARCHAR', 'UBIGINT') THEN line_json ->> '$' END AS line_id
  FROM returned
),

numbered AS (
  SELECT
    refund_id, order_id, created, line_id, quantity,
    coalesce(sum(quantity) OVER (
      PARTITION BY order_id, line_id ORDER BY created, refund_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
  FROM named
),

back AS (
  SELECT
    n.refund_id, n.created, n.line_id, s.item_id, s.state, s.modified, coalesce(s.misshapen, []) AS misshapen,
    n.quantity AS refunded,
    CASE WHEN n.quantity IS NOT NULL THEN least(n.quantity, s.restocked - n.before) END AS quantity
  FROM numbered AS n
  LEFT JOIN sold AS s ON s.order_id = n.order_id AND s.line_id = n.line_id
  WHERE s.line_id IS NOT NULL OR n.line_id IS NULL
),

every AS (
  SELECT line_id AS movement_id, id_json, item_id, 'order' AS kind, -quantity AS quantity, state, created AS occurred,
    modified, misshapen
  FROM sold
  UNION ALL
  SELECT line_id || '|cancel', id_json, item_id, 'cancel', quantity - restocked, state, modified, modified, misshapen
  FROM sold
  WHERE state = 'cancelled'
  UNION ALL
  SELECT refund_id || '|' || line_id, to_json(TRY_CAST(line_id AS UBIGINT)), item_id, 'restock', quantity, state, created,
    modified, misshapen
  FROM back
  WHERE line_id IS NULL OR refunded IS NULL OR quantity > 0
)

SELECT
  movement_id,
  item_id AS vendor_id,
  'shop' AS vendor_location_id,
  kind,
  CAST(quantity AS BIGINT) AS quantity,
  state AS order_state,
  to_moment(occurred || 'Z') AS occurred_at,
  to_moment(modified || 'Z') AS updated_at,
  CAST(NULL AS VARCHAR) AS hold_id,
  misshapen || problems([
    number_key_problem(id_json, 'line'),
    count_problem(quantity IS NULL OR (kind = 'order' AND quantity > 0), 'quantity'),
    too_many_problem(quantity, 'quantity'),
    moment_problem(to_moment(occurred || 'Z') IS NULL, 'occurred_at')
  ]) AS problems
FROM every
