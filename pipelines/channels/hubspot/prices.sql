-- grain: one price property of one HubSpot product that holds a value
-- key: vendor_id, vendor_price_list (the property's name)
-- why: a price is a text property in net major units ("49.9"); `price` is in the account's currency, the others are
--      the retailer's own properties, one a currency. What is no decimal is refused, never guessed.
WITH parsed AS (
  SELECT
    id,
    from_json(payload, '{"archived": "VARCHAR", "updatedAt": "VARCHAR", "properties": {"price": "VARCHAR",
      "hs_price_chf": "VARCHAR", "hs_price_jpy": "VARCHAR"}}') AS r
  FROM raw_hubspot.products
), listed AS (
  SELECT
    id,
    to_moment(r.updatedAt) AS updated_at,
    unnest([
      {'property': 'price', 'currency': 'EUR', 'amount': r.properties.price},
      {'property': 'hs_price_chf', 'currency': 'CHF', 'amount': r.properties.hs_price_chf},
      {'property': 'hs_price_jpy', 'currency': 'JPY', 'amount': r.properties.hs_price_jpy}
    ]) AS p
  FROM parsed
  WHERE coalesce(r.archived, 'false') <> 'true'
), read AS (
  SELECT
    id,
    updated_at,
    p.property AS vendor_price_list,
    p.currency AS currency,
    trim(p.amount) AS amount,
    to_minor(trim(p.amount), p.currency) AS amount_minor
  FROM listed
  WHERE trim(p.amount) <> ''
)
SELECT
  id AS vendor_id,
  vendor_price_list,
  currency,
  amount_minor,
  CAST(NULL AS BIGINT) AS compare_at_minor,
  'net' AS tax_basis,
  CAST(NULL AS INTEGER) AS tax_rate_bp,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('digits', currency_digits(currency)) AS VARCHAR) AS write_context,
  problems([
    amount_problem(amount_minor IS NULL, amount, 'amount'),
    price_problem(amount_minor, 'amount')
  ]) AS problems
FROM read
