-- grain: one row per variant and currency of the channel
-- key: vendor_id, vendor_price_list (the currency's code: Vendure has one price per variant and currency)
-- why: what is stored is a whole number in units of the shop's own precision, whatever the currency (with 2, a hundred
--      yen are 10000), with tax where the channel says so; the variant's `price` beside it is worked out, and not read
WITH given AS (
  SELECT
    id,
    payload ->> '$.updatedAt' AS updated_at,
    payload ->> '$.taxRateApplied.value' AS tax_pct,
    payload -> '$.prices' AS prices,
    wrong_kinds(json_type(payload, ['$.prices']), ['ARRAY'], ['amount']) AS misshapen
  FROM raw_vendure.variants
),
shop AS (
  SELECT
    TRY_CAST(max(payload ->> '$.settings.serverConfig.moneyStrategyPrecision') AS INTEGER) AS digits,
    CASE max(payload ->> '$.channel.pricesIncludeTax')
      WHEN 'true' THEN 'gross' WHEN 'false' THEN 'net' ELSE 'unknown' END AS tax_basis
  FROM raw_vendure.shop
),
listed AS (
  SELECT
    id, updated_at, tax_pct, misshapen,
    unnest(CASE WHEN json_type(prices) = 'ARRAY' THEN from_json(prices, '["JSON"]') ELSE [NULL] END) AS price
  FROM given
  WHERE json_type(prices) <> 'ARRAY' OR json_array_length(prices) > 0
),
read AS (
  SELECT
    l.id, l.updated_at, l.misshapen, s.digits, s.tax_basis,
    as_key(l.price -> '$.currencyCode') AS currency,
    l.price ->> '$.price' AS stored,
    TRY_CAST(l.tax_pct AS DECIMAL(9, 4)) AS tax_pct,
    CASE WHEN s.digits BETWEEN 0 AND 6 AND regexp_full_match(l.price ->> '$.price', '-?[0-9]{1,15}')
      THEN concat(
        left(l.price ->> '$.price', CAST(starts_with(l.price ->> '$.price', '-') AS INTEGER)),
        TRY_CAST(ltrim(l.price ->> '$.price', '-') AS BIGINT) // TRY_CAST(power(10, s.digits) AS BIGINT), '.',
        lpad(CAST(TRY_CAST(ltrim(l.price ->> '$.price', '-') AS BIGINT) % TRY_CAST(power(10, s.digits) AS BIGINT) AS VARCHAR),
          greatest(s.digits, 1), '0')) END AS amount
  FROM listed AS l
  CROSS JOIN shop AS s
)
SELECT
  id AS vendor_id,
  currency AS vendor_price_list,
  currency,
  to_minor(amount, currency) AS amount_minor,
  CAST(NULL AS BIGINT) AS compare_at_minor,
  tax_basis,
  CAST(round(100 * tax_pct) AS INTEGER) AS tax_rate_bp,
  CAST(NULL AS TIMESTAMPTZ) AS valid_until,
  CAST(NULL AS VARCHAR) AS version,
  to_moment(updated_at) AS updated_at,
  CAST(json_object('precision', digits) AS VARCHAR) AS write_context,
  misshapen || problems([
    unknown_problem(currency_digits(currency) IS NULL, 'currency', 'currency'),
    missing_problem(stored IS NULL, 'amount'),
    amount_problem(stored IS NOT NULL AND currency_digits(currency) IS NOT NULL AND to_minor(amount, currency) IS NULL,
      stored, 'amount'),
    price_problem(to_minor(amount, currency), 'amount')
  ]) AS problems
FROM read
