-- grain: one row per thing that is sold; its one price list is 'base'
-- key: vendor_id, vendor_price_list
-- why: WooCommerce keeps a regular price and a sale price with days; ours is what a buyer pays tonight, so the sale
--      price while the sale runs (compare-at is then the regular one), the regular price else. A sale price that is not
--      below the regular one is no sale, as in the shop. Grouped products have no price of their own. Amounts are
--      decimal strings; "12,50" cannot stand there, but 1250 in its place can. A thing without a price is not for sale:
--      a problem. A price holds until its sale begins or ends, whose last second is part of it. What is misshapen in a
--      variation's product is a problem of the item (items)
WITH shop AS (
  SELECT
    max(CASE id WHEN 'woocommerce_currency' THEN payload ->> '$.value' END) AS currency,
    max(CASE id WHEN 'woocommerce_default_country' THEN upper(payload ->> '$.value') END) AS address,
    max(CASE id WHEN 'woocommerce_calc_taxes' THEN payload ->> '$.value' END) AS has_taxes,
    max(CASE id WHEN 'woocommerce_prices_include_tax' THEN payload ->> '$.value' END) AS includes_tax
  FROM raw_woocommerce.settings
),

rates AS (
  SELECT
    coalesce(nullif(t.payload ->> '$.class', ''), 'standard') AS tax_class,
    CASE WHEN count(*) = 1
      THEN max(CAST(round(TRY_CAST(t.payload ->> '$.rate' AS DECIMAL(9, 4)) * 100) AS INTEGER)) END AS rate_bp
  FROM raw_woocommerce.taxes AS t
  CROSS JOIN shop AS s
  WHERE coalesce(upper(t.payload ->> '$.country'), '') IN ('', split_part(s.address, ':', 1))
    AND coalesce(upper(t.payload ->> '$.state'), '') IN ('', split_part(s.address, ':', 2))
    AND coalesce(t.payload ->> '$.postcode', '') = '' AND coalesce(t.payload ->> '$.city', '') = ''
    AND coalesce(json_array_length(t.payload -> '$.postcodes'), 0) = 0
    AND coalesce(json_array_length(t.payload -> '$.cities'), 0) = 0
  GROUP BY coalesce(nullif(t.payload ->> '$.class', ''), 'standard')
),

products AS (
  SELECT
    id,
    payload AS p,
    from_json(payload -> '$.variations', '["VARCHAR"]') AS listed,
    coalesce(json_type(payload, '$.variations') = 'ARRAY', FALSE)
      AND len(wrong_elements(json_type(payload, '$.variations[*]'), 'UBIGINT', 'variations')) = 0 AS is_list,
    coalesce(json_array_length(payload -> '$.variations'), 0) > 0
      OR coalesce(starts_with(as_key(payload -> '$.type'), 'variable'), FALSE) AS is_parent
  FROM raw_woocommerce.products
),

variations AS (
  SELECT id, as_number_key(payload -> '$.parent_id') AS parent_id, payload -> '$.variation' AS v
  FROM raw_woocommerce.variations
),

every AS (
  SELECT p.id AS vendor_id, p.p AS own, '' AS product_id
  FROM products AS p
  WHERE NOT p.is_parent AND coalesce(as_key(p.p -> '$.type'), '') <> 'grouped'
  UNION ALL
  SELECT v.id, v.v, v.parent_id
  FROM variations AS v
  LEFT JOIN products AS p ON p.id = v.parent_id
  WHERE v.parent_id IS NULL OR list_contains(p.listed, v.id) OR NOT p.is_list
),

read AS (
  SELECT
    e.vendor_id,
    e.product_id,
    s.currency,
    CASE WHEN s.has_taxes = 'no' THEN 'gross' WHEN s.includes_tax = 'yes' THEN 'gross' WHEN s.includes_tax = 'no' THEN 'net'
      ELSE 'unknown' END AS tax_basis,
    CASE WHEN s.has_taxes = 'yes' THEN
      CASE WHEN e.own ->> '$.tax_status' = 'taxable' THEN t.rate_bp ELSE 0 END END AS tax_rate_bp,
    nullif(trim(e.own ->> '$.regular_price'), '') AS regular,
    nullif(trim(e.own ->> '$.sale_price'), '') AS sale,
    to_minor(trim(e.own ->> '$.regular_price'), s.currency) AS regular_minor,
    to_minor(trim(e.own ->> '$.sale_price'), s.currency) AS sale_minor,
    nullif(e.own ->> '$.date_on_sale_from_gmt', '') AS starts,
    nullif(e.own ->> '$.date_on_sale_to_gmt', '') AS ends,
    n.as_of,
    to_moment((e.own ->> '$.date_modified_gmt') || 'Z') AS updated_at,
    wrong_kinds(
      json_type(e.own, ['$.regular_price', '$.sale_price', '$.date_on_sale_from_gmt', '$.date_on_sale_to_gmt']),
      ['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR'], ['amount', 'sale_price', 'sale_starts', 'sale_ends']
    ) AS misshapen
  FROM every AS e
  CROSS JOIN shop AS s
  CROSS JOIN (SELECT max(as_of) AS as_of FROM estate.night) AS n
  LEFT JOIN rates AS t ON t.tax_class = coalesce(nullif(e.own ->> '$.tax_class', ''), 'standard')
),

judged AS (
  SELECT
    vendor_id, product_id, currency, tax_basis, tax_rate_bp, regular, sale, regular_minor, sale_minor, starts, ends,
    updated_at, misshapen, as_of,
    to_moment(starts || 'Z') AS started_at,
    to_moment(ends || 'Z') + INTERVAL 1 SECOND AS ended_at,
    coalesce(sale_minor < regular_minor, FALSE)
      AND (starts IS NULL OR coalesce(to_moment(starts || 'Z') <= as_of, FALSE))
      AND (ends IS NULL OR coalesce(to_moment(ends || 'Z') >= as_of, FALSE)) AS is_on_sale
  FROM read
)

SELECT
  vendor_id,
  'base' AS vendor_price_list,
  currency,
  CASE WHEN is_on_sale THEN sale_minor ELSE regular_minor END AS amount_minor,
  CASE WHEN is_on_sale THEN regular_minor END AS compare_at_minor,
  tax_basis,
  tax_rate_bp,
  CASE WHEN is_on_sale THEN ended_at WHEN sale_minor < regular_minor AND started_at > as_of AND coalesce(ended_at > started_at, TRUE)
    THEN started_at END AS valid_until,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('product_id', product_id) AS VARCHAR) AS write_context,
  misshapen || problems([
    unknown_problem(currency_digits(currency) IS NULL, 'currency', 'currency'),
    blank_problem(regular, 'amount'),
    amount_problem(regular IS NOT NULL AND currency_digits(currency) IS NOT NULL AND regular_minor IS NULL, regular, 'amount'),
    price_problem(regular_minor, 'amount'),
    amount_problem(sale IS NOT NULL AND currency_digits(currency) IS NOT NULL AND sale_minor IS NULL, sale, 'sale_price'),
    price_problem(sale_minor, 'sale_price'),
    moment_problem(starts IS NOT NULL AND to_moment(starts || 'Z') IS NULL, 'sale_starts'),
    moment_problem(ends IS NOT NULL AND to_moment(ends || 'Z') IS NULL, 'sale_ends')
  ]) AS problems
FROM judged
