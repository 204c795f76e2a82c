-- grain: points that one line of a card's history gave, or took; a line that did both is two events
-- key: vendor_id
-- why: an order gives and takes points in one line, and each is an event of its own, so its id is the line's with what it
--      was. Without an order a person, or a sync, set the points. Orders of the till are named as in orders.sql.
WITH read AS (
  SELECT
    id,
    payload,
    TRY_CAST(payload ->> '$.issued' AS DECIMAL(18, 3)) AS issued,
    TRY_CAST(payload ->> '$.used' AS DECIMAL(18, 3)) AS used,
    as_number_key(payload -> '$.order_id') AS order_key,
    payload ->> '$.order_model' AS order_model
  FROM raw_odoo.loyalty_history
),

sides AS (
  SELECT r.id, r.payload, 'issued' AS side, r.issued AS points, r.order_key, r.order_model
  FROM read AS r
  WHERE coalesce(r.issued <> 0, TRUE) OR coalesce(r.used, 0) = 0
  UNION ALL
  SELECT r.id, r.payload, 'used', -r.used, r.order_key, r.order_model
  FROM read AS r
  WHERE r.used <> 0
)

SELECT
  concat(s.id, ':', s.side) AS vendor_id,
  as_number_key(s.payload -> '$.card_id') AS card_id,
  CAST(NULL AS VARCHAR) AS vendor_customer_id,
  CAST(NULL AS VARCHAR) AS program_id,
  CASE WHEN coalesce(s.order_key, '0') = '0' THEN 'adjust' WHEN s.side = 'issued' THEN 'earn' ELSE 'redeem' END AS kind,
  s.points,
  CASE WHEN coalesce(s.order_key, '0') = '0' THEN NULL WHEN s.order_model = 'pos.order' THEN s.order_key
    ELSE concat(s.order_model, ' ', s.order_key) END AS order_id,
  to_moment((s.payload ->> '$.create_date') || 'Z') AS occurred_at,
  wrong_numbers(json_type(s.payload, ['$.issued', '$.used', '$.order_id']), ['points', 'points', 'order_id'])
  || wrong_types(json_type(s.payload, ['$.order_model']), ['order_id'])
  || problems([
    number_key_problem(s.payload -> '$.card_id', 'card_id'),
    missing_problem(coalesce(json_type(s.payload -> '$.issued'), 'NULL') = 'NULL', 'points'),
    missing_problem(coalesce(json_type(s.payload -> '$.used'), 'NULL') = 'NULL', 'points'),
    moment_problem(to_moment((s.payload ->> '$.create_date') || 'Z') IS NULL, 'occurred_at')
  ]) AS problems
FROM sides AS s
