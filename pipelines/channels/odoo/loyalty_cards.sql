-- grain: one loyalty card of a customer
-- key: vendor_id
-- why: every card with its own balance, so that its events can be held against it; which one is the customer's points is
--      said in customers.sql
SELECT
  id AS vendor_id,
  as_number_key(payload -> '$.partner_id') AS vendor_customer_id,
  as_number_key(payload -> '$.program_id') AS program_id,
  TRY_CAST(payload ->> '$.points' AS DECIMAL(18, 3)) AS points,
  to_moment((payload ->> '$.write_date') || 'Z') AS updated_at,
  wrong_numbers(json_type(payload, ['$.points']), ['points'])
  || wrong_kinds(json_type(payload, ['$.active']), ['BOOLEAN'], ['loyalty_card'])
  || problems([
    number_key_problem(payload -> '$.partner_id', 'vendor_customer_id'),
    number_key_problem(payload -> '$.program_id', 'program_id'),
    missing_problem(coalesce(json_type(payload -> '$.points'), 'NULL') = 'NULL', 'points')
  ]) AS problems
FROM raw_odoo.loyalty_cards
WHERE coalesce(payload ->> '$.active', 'true') <> 'false'
