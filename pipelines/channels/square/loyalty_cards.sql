-- grain: one account in the loyalty program
-- key: vendor_id
-- why: the balance as Square tells it, beside which its events are held; an account may be of no profile, a phone alone.
SELECT
  id AS vendor_id,
  as_key(payload -> '$.customer_id') AS vendor_customer_id,
  as_key(payload -> '$.program_id') AS program_id,
  TRY_CAST(payload ->> '$.balance' AS DECIMAL(18, 3)) AS points,
  to_moment(payload ->> '$.updated_at') AS updated_at,
  wrong_types(json_type(payload, ['$.customer_id']), ['vendor_customer_id']) || wrong_numbers(json_type(payload, ['$.balance']), ['points'])
  || problems([
    key_problem(payload -> '$.program_id', 'program_id'),
    missing_problem(coalesce(json_type(payload -> '$.balance'), 'NULL') = 'NULL', 'points')
  ]) AS problems
FROM raw_square.loyalty_accounts
