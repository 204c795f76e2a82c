-- grain: one order of the till; drafts are left out
-- key: vendor_id
-- why: orders are a ledger of what was sold where; totals in minor units of their own currency.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"location_id":"VARCHAR","customer_id":"VARCHAR","state":"VARCHAR","created_at":"VARCHAR",
      "updated_at":"VARCHAR","total_money":{"amount":"JSON","currency":"VARCHAR"}}') AS o
  FROM raw_square.orders
),

flat AS (
  SELECT
    vendor_id,
    o.location_id AS vendor_location_id,
    o.customer_id AS vendor_customer_id,
    o.total_money.currency AS currency,
    o.total_money.amount AS total_json,
    CASE WHEN json_type(o.total_money.amount) IN ('UBIGINT', 'BIGINT')
      THEN TRY_CAST(o.total_money.amount ->> '$' AS BIGINT) END AS total_minor,
    CASE o.state WHEN 'OPEN' THEN 'open' WHEN 'COMPLETED' THEN 'fulfilled' WHEN 'CANCELED' THEN 'cancelled' END
      AS state,
    TRY_CAST(o.created_at AS TIMESTAMPTZ) AS created_at,
    TRY_CAST(o.updated_at AS TIMESTAMPTZ) AS updated_at
  FROM read
  WHERE o.state IS DISTINCT FROM 'DRAFT'
)

SELECT
  vendor_id,
  vendor_location_id,
  vendor_customer_id,
  currency,
  total_minor,
  state,
  created_at,
  updated_at,
  problems([
    missing_problem(vendor_location_id IS NULL, 'location'),
    missing_problem(coalesce(json_type(total_json), 'NULL') = 'NULL', 'total'),
    problem(
      total_minor IS NULL AND json_type(total_json) <> 'NULL', 'total', 'not a whole number', lower(json_type(total_json))
    ),
    total_problem(total_minor, 'total'),
    missing_problem(currency IS NULL, 'currency'),
    unknown_problem(currency IS NOT NULL AND currency_digits(currency) IS NULL, 'currency', 'currency'),
    unknown_problem(state IS NULL, 'state', 'state'),
    moment_problem(created_at IS NULL, 'created_at')
  ]) AS problems
FROM flat
