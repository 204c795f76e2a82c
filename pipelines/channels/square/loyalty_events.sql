-- grain: one event of an account in the loyalty program
-- key: vendor_id
-- why: what Square calls the ledger of points. Making a reward spends them, deleting it gives them back, and redeeming it
--      moves none any more but names the order. Signs are set by what the event is, whatever the sign of its number.
WITH read AS (
  SELECT
    id AS vendor_id,
    payload,
    CASE payload ->> '$.type'
      WHEN 'ACCUMULATE_POINTS' THEN 'accumulate_points' WHEN 'ACCUMULATE_PROMOTION_POINTS' THEN 'accumulate_promotion_points'
      WHEN 'CREATE_REWARD' THEN 'create_reward' WHEN 'REDEEM_REWARD' THEN 'redeem_reward' WHEN 'DELETE_REWARD' THEN 'delete_reward'
      WHEN 'ADJUST_POINTS' THEN 'adjust_points' WHEN 'EXPIRE_POINTS' THEN 'expire_points' WHEN 'OTHER' THEN 'other_event'
    END AS part
  FROM raw_square.loyalty_events
),

flat AS (
  SELECT
    r.vendor_id,
    r.part,
    r.payload -> '$.loyalty_account_id' AS card_json,
    r.payload ->> '$.created_at' AS created_at,
    json_extract(r.payload, '$.' || r.part) AS told
  FROM read AS r
)

SELECT
  f.vendor_id,
  as_key(f.card_json) AS card_id,
  CAST(NULL AS VARCHAR) AS vendor_customer_id,
  as_key(f.told -> '$.loyalty_program_id') AS program_id,
  CASE
    WHEN f.part IN ('accumulate_points', 'accumulate_promotion_points') THEN 'earn'
    WHEN f.part IN ('create_reward', 'redeem_reward') THEN 'redeem'
    WHEN f.part = 'delete_reward' THEN 'delete'
    WHEN f.part = 'expire_points' THEN 'expire'
    WHEN f.part IN ('adjust_points', 'other_event') THEN 'adjust'
  END AS kind,
  CASE
    WHEN f.part = 'redeem_reward' THEN CAST(0 AS DECIMAL(18, 3))
    WHEN f.part IN ('create_reward', 'expire_points') THEN -abs(TRY_CAST(f.told ->> '$.points' AS DECIMAL(18, 3)))
    WHEN f.part IN ('adjust_points', 'other_event') THEN TRY_CAST(f.told ->> '$.points' AS DECIMAL(18, 3))
    ELSE abs(TRY_CAST(f.told ->> '$.points' AS DECIMAL(18, 3)))
  END AS points,
  as_key(f.told -> '$.order_id') AS order_id,
  to_moment(f.created_at) AS occurred_at,
  coalesce(wrong_types(json_type(f.told, ['$.order_id', '$.loyalty_program_id']), ['order_id', 'program_id']), [])
  || coalesce(wrong_numbers(json_type(f.told, ['$.points']), ['points']), [])
  || problems([
    unknown_problem(f.part IS NULL, 'kind', 'type of event'),
    key_problem(f.card_json, 'card_id'),
    problem(f.part IS NOT NULL AND coalesce(json_type(f.told), 'NULL') <> 'OBJECT', 'points', 'wrong type',
      lower(coalesce(json_type(f.told), 'null'))),
    missing_problem(json_type(f.told) = 'OBJECT' AND f.part <> 'redeem_reward'
      AND coalesce(json_type(f.told -> '$.points'), 'NULL') = 'NULL', 'points'),
    moment_problem(to_moment(f.created_at) IS NULL, 'occurred_at')
  ]) AS problems
FROM flat AS f
