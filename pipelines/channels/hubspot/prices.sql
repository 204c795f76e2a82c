-- grain: one price property of one HubSpot product that holds a value
-- key: vendor_id, vendor_price_list (the property's name)
-- why: a price is a text property in major units ("49.9"); `price` is in the account's currency, the others are the
--      retailer's own properties, one a currency. HubSpot does not say whether tax is in them: the estate does. What is
--      no decimal is refused, never guessed.
WITH account AS (
  SELECT max(payload ->> '$.companyCurrency') AS currency
  FROM raw_hubspot.account
), parsed AS (
  SELECT
    id,
    from_json(payload, '{"archived": "VARCHAR", "updatedAt": "VARCHAR", "properties": {"price": "VARCHAR",
      "hs_price_chf": "VARCHAR", "hs_price_jpy": "VARCHAR"}}') AS r
  FROM raw_hubspot.products
), listed AS (
  SELECT
    p.id,
    to_moment(p.r.updatedAt) AS updated_at,
    unnest([
      {'property': 'price', 'currency': a.currency, 'amount': p.r.properties.price},
      {'property': 'hs_price_chf', 'currency': 'CHF', 'amount': p.r.properties.hs_price_chf},
      {'property': 'hs_price_jpy', 'currency': 'JPY', 'amount': p.r.properties.hs_price_jpy}
    ]) AS price
  FROM parsed AS p
  CROSS JOIN account AS a
  WHERE coalesce(p.r.archived, 'false') <> 'true'
), read AS (
  SELECT
    id,
    updated_at,
    price.property AS vendor_price_list,
    price.currency AS currency,
    trim(price.amount) AS amount,
    to_minor(trim(price.amount), price.currency) AS amount_minor
  FROM listed
  WHERE trim(price.amount) <> ''
)
SELECT
  id AS vendor_id,
  vendor_price_list,
  currency,
  amount_minor,
  CAST(NULL AS BIGINT) AS compare_at_minor,
  'unknown' AS tax_basis,
  CAST(NULL AS INTEGER) AS tax_rate_bp,
  CAST(NULL AS TIMESTAMPTZ) AS valid_until,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('digits', currency_digits(currency)) AS VARCHAR) AS write_context,
  problems([
    unknown_problem(currency_digits(currency) IS NULL, 'currency', 'currency'),
    amount_problem(currency_digits(currency) IS NOT NULL AND amount_minor IS NULL, amount, 'amount'),
    price_problem(amount_minor, 'amount')
  ]) AS problems
FROM read
