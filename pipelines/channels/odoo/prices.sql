-- grain: the sales price of one variant, in the currency of its company
-- key: vendor_id, vendor_price_list
-- why: the price is the template's (list_price) and what the variant's options cost more (price_extra). Only the first
--      can be corrected, and for all variants of the template alike: both go along for the writer, with how many variants
--      that is (of archived ones only an archived one makes account). Whether tax is within is said by the one tax of
--      sale that applies and is not archived. Odoo knows no price before reduction.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"default_code":"VARCHAR","type":"VARCHAR","list_price":"JSON","price_extra":"JSON",
      "product_tmpl_id":"JSON","currency_id":"JSON","active":"VARCHAR","write_date":"VARCHAR"}') AS o,
    CASE WHEN json_type(payload, '$.taxes_id') = 'ARRAY' THEN from_json(payload -> '$.taxes_id', '["JSON"]') END AS tax_ids,
    wrong_numbers(json_type(payload, ['$.list_price', '$.price_extra']), ['amount', 'extra']) AS misshapen
  FROM raw_odoo.products
),

taxes AS (
  SELECT
    id AS tax_id,
    CASE WHEN payload ->> '$.amount_type' = 'percent'
      THEN CAST(round(TRY_CAST(payload ->> '$.amount' AS DECIMAL(9, 4)) * 100) AS INTEGER) END AS rate_bp,
    CASE payload ->> '$.price_include' WHEN 'true' THEN 'gross' WHEN 'false' THEN 'net' END AS basis
  FROM raw_odoo.taxes
  WHERE coalesce(payload ->> '$.active', 'true') <> 'false'
),

taxed AS (
  SELECT used.vendor_id, max(taxes.rate_bp) AS rate_bp, max(taxes.basis) AS basis, count(*) AS tax_count
  FROM (SELECT vendor_id, unnest(tax_ids) AS tax_id FROM read) AS used
  INNER JOIN taxes ON taxes.tax_id = as_number_key(used.tax_id)
  GROUP BY used.vendor_id
),

shared AS (
  SELECT
    o.product_tmpl_id ->> '$[0]' AS template_id,
    count(*) FILTER (o.active IS DISTINCT FROM 'false') AS active_count,
    count(*) AS all_count
  FROM read
  GROUP BY o.product_tmpl_id ->> '$[0]'
),

flat AS (
  SELECT
    r.vendor_id,
    r.misshapen,
    r.o.product_tmpl_id ->> '$[0]' AS template_id,
    CASE WHEN r.o.active = 'false' THEN s.all_count ELSE s.active_count END AS variants,
    r.o.currency_id ->> '$[1]' AS currency,
    r.o.list_price ->> '$' AS listed,
    coalesce(r.o.price_extra ->> '$', '0') AS extra,
    to_minor(r.o.list_price ->> '$', r.o.currency_id ->> '$[1]') AS listed_minor,
    to_minor(coalesce(r.o.price_extra ->> '$', '0'), r.o.currency_id ->> '$[1]') AS extra_minor,
    CASE WHEN t.tax_count = 1 AND t.rate_bp IS NOT NULL THEN t.rate_bp END AS tax_rate_bp,
    CASE WHEN t.tax_count = 1 AND t.rate_bp IS NOT NULL THEN coalesce(t.basis, 'unknown') ELSE 'unknown' END AS tax_basis,
    to_moment(r.o.write_date || 'Z') AS updated_at
  FROM read AS r
  LEFT JOIN taxed AS t ON t.vendor_id = r.vendor_id
  LEFT JOIN shared AS s ON s.template_id = r.o.product_tmpl_id ->> '$[0]'
  WHERE r.o.type IS DISTINCT FROM 'service' OR trim(r.o.default_code) <> ''
)

SELECT
  vendor_id,
  'list_price' AS vendor_price_list,
  currency,
  listed_minor + extra_minor AS amount_minor,
  CAST(NULL AS BIGINT) AS compare_at_minor,
  tax_basis,
  tax_rate_bp,
  CAST(NULL AS TIMESTAMPTZ) AS valid_until,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('template_id', template_id, 'variants', variants, 'extra_minor', extra_minor,
    'digits', currency_digits(currency)) AS VARCHAR) AS write_context,
  misshapen || problems([
    missing_problem(currency IS NULL, 'currency'),
    unknown_problem(currency IS NOT NULL AND currency_digits(currency) IS NULL, 'currency', 'currency'),
    missing_problem(listed IS NULL, 'amount'),
    amount_problem(currency_digits(currency) IS NOT NULL AND listed IS NOT NULL AND listed_minor IS NULL, listed, 'amount'),
    amount_problem(currency_digits(currency) IS NOT NULL AND extra_minor IS NULL, extra, 'extra'),
    price_problem(listed_minor + extra_minor, 'amount')
  ]) AS problems
FROM flat
