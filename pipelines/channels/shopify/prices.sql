-- grain: one row per variant and price list; the variant's own price is the list 'base'
-- key: vendor_id, vendor_price_list
-- why: the base price is a bare decimal in the shop's currency, a fixed price is money with its own; a compare-at
--      price of nothing means that there is none. Tax: the shop's own word for 'base', the estate's map for lists
WITH shop AS (
  SELECT
    max(payload ->> '$.currencyCode') AS currency,
    CASE max(payload ->> '$.taxesIncluded') WHEN 'true' THEN 'gross' WHEN 'false' THEN 'net' ELSE 'unknown' END AS tax_basis
  FROM raw_shopify.shop
),
base AS (
  SELECT
    id,
    from_json(payload, '{"price": "VARCHAR", "compareAtPrice": "VARCHAR", "updatedAt": "VARCHAR",
      "product": {"id": "VARCHAR"}}') AS v
  FROM raw_shopify.variants
),
fixed AS (
  SELECT
    from_json(payload, '{"__parentId": "JSON", "variant": {"id": "JSON"},
      "price": {"amount": "VARCHAR", "currencyCode": "VARCHAR"},
      "compareAtPrice": {"amount": "VARCHAR", "currencyCode": "VARCHAR"}}') AS v,
    json_type(payload, ['$.price', '$.compareAtPrice']) AS types
  FROM raw_shopify.price_list_prices
),
keyed AS (
  SELECT
    v,
    as_key(v.variant.id) AS vendor_id,
    as_key(v.__parentId) AS list_id,
    wrong_kinds(types, ['OBJECT', 'OBJECT'], ['amount', 'compare_at'])
    || problems([key_problem(v.variant.id, 'item'), key_problem(v.__parentId, 'price_list')]) AS misshapen
  FROM fixed
),
lists AS (
  SELECT id, payload ->> '$.currency' AS currency FROM raw_shopify.price_lists
),
every AS (
  SELECT
    b.id AS vendor_id,
    'base' AS vendor_price_list,
    s.currency AS currency,
    b.v.price AS amount,
    b.v.compareAtPrice AS compare_at,
    s.tax_basis AS tax_basis,
    b.v.updatedAt AS updated_at,
    json_object('product_id', b.v.product.id) AS write_context,
    true AS is_listed,
    [] AS misshapen
  FROM base AS b
  CROSS JOIN shop AS s
  UNION ALL
  SELECT
    f.vendor_id,
    f.list_id,
    f.v.price.currencyCode,
    f.v.price.amount,
    f.v.compareAtPrice.amount,
    coalesce(e.tax_basis, 'unknown'),
    NULL,
    json_object(),
    l.currency = f.v.price.currencyCode
      AND coalesce(f.v.compareAtPrice.currencyCode, l.currency) = l.currency,
    f.misshapen
  FROM keyed AS f
  LEFT JOIN lists AS l ON l.id = f.list_id
  LEFT JOIN estate.price_lists AS e ON e.system = 'shopify' AND e.vendor_price_list = f.list_id
),
read AS (
  SELECT
    vendor_id, vendor_price_list, currency, amount, compare_at, tax_basis, updated_at, write_context, is_listed, misshapen,
    to_minor(amount, currency) AS amount_minor,
    to_minor(compare_at, currency) AS compare_at_minor
  FROM every
)
SELECT
  vendor_id,
  vendor_price_list,
  currency,
  amount_minor,
  nullif(compare_at_minor, 0) AS compare_at_minor,
  tax_basis,
  CAST(NULL AS INTEGER) AS tax_rate_bp,
  CAST(NULL AS TIMESTAMPTZ) AS valid_until,
  CAST(NULL AS VARCHAR) AS version,
  to_moment(updated_at) AS updated_at,
  CAST(write_context AS VARCHAR) AS write_context,
  misshapen || problems([
    unknown_problem(currency_digits(currency) IS NULL, 'currency', 'currency'),
    problem(currency_digits(currency) IS NOT NULL AND is_listed IS DISTINCT FROM true,
      'currency', 'not that of its price list', 'unknown value'),
    blank_problem(nullif(trim(amount), ''), 'amount'),
    amount_problem(nullif(trim(amount), '') IS NOT NULL AND currency_digits(currency) IS NOT NULL
      AND amount_minor IS NULL, amount, 'amount'),
    price_problem(amount_minor, 'amount'),
    amount_problem(compare_at IS NOT NULL AND currency_digits(currency) IS NOT NULL
      AND read.compare_at_minor IS NULL, compare_at, 'compare_at'),
    price_problem(read.compare_at_minor, 'compare_at')
  ]) AS problems
FROM read
