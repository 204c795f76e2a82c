-- grain: one sellable variant of a product; Odoo's own services (gift card, tip), which bear no reference, are left out
-- key: vendor_id
-- why: a variant shares name, category, price and taxes with its template. A tax basis is known only where exactly one
--      percentage tax of sale applies, archived ones aside. A combination of products (combo) is a kit; the standard
--      price is the cost, and 0 is Odoo's word for not known. Fields are taken as JSON first: see the reader for what is
--      null.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"default_code":"VARCHAR","barcode":"VARCHAR","name":"VARCHAR","type":"VARCHAR",
      "is_storable":"VARCHAR","active":"VARCHAR","sale_ok":"VARCHAR","standard_price":"VARCHAR",
      "product_tmpl_id":"JSON","categ_id":"JSON","currency_id":"JSON","write_date":"VARCHAR"}') AS o,
    CASE WHEN json_type(payload, '$.taxes_id') = 'ARRAY' THEN from_json(payload -> '$.taxes_id', '["JSON"]') END AS tax_ids,
    wrong_kinds(
      json_type(payload, ['$.default_code', '$.barcode', '$.name', '$.type', '$.is_storable', '$.active', '$.sale_ok',
        '$.categ_id', '$.categ_id[1]', '$.currency_id', '$.currency_id[1]', '$.taxes_id', '$.product_tmpl_id']),
      ['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'BOOLEAN', 'BOOLEAN', 'BOOLEAN',
        'ARRAY', 'VARCHAR', 'ARRAY', 'VARCHAR', 'ARRAY', 'ARRAY'],
      ['sku', 'gtin', 'title', 'type', 'is_tracked', 'status', 'status',
        'category', 'category', 'currency', 'currency', 'tax', 'parent_id']
    )
    || wrong_numbers(json_type(payload, ['$.standard_price']), ['cost'])
    || coalesce(problems(list_transform(json_type(payload, '$.taxes_id[*]'),
      lambda t: problem(t NOT IN ('UBIGINT', 'BIGINT'), 'tax', 'wrong type', lower(t))))[1:1], []) AS misshapen
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

flat AS (
  SELECT
    r.vendor_id,
    r.misshapen,
    as_number_key(r.o.product_tmpl_id -> '$[0]') AS parent_id,
    r.o.product_tmpl_id -> '$[0]' AS parent_json,
    nullif(trim(r.o.default_code), '') AS sku,
    nullif(trim(r.o.barcode), '') AS gtin,
    nullif(trim(r.o.name), '') AS title,
    r.o.categ_id ->> '$[1]' AS category,
    r.o.type AS type,
    CASE
      WHEN r.o.active = 'false' THEN 'archived'
      WHEN r.o.sale_ok = 'false' THEN 'unpublished'
      ELSE 'active'
    END AS status,
    coalesce(r.o.is_storable = 'true', FALSE) AS is_tracked,
    coalesce(r.o.type = 'combo', FALSE) AS is_kit,
    CASE WHEN t.tax_count = 1 AND t.rate_bp IS NOT NULL THEN t.rate_bp END AS tax_rate_bp,
    CASE WHEN t.tax_count = 1 AND t.rate_bp IS NOT NULL THEN coalesce(t.basis, 'unknown') ELSE 'unknown' END AS tax_basis,
    r.o.currency_id ->> '$[1]' AS currency,
    TRY_CAST(r.o.standard_price AS DECIMAL(18, 6)) AS cost,
    to_moment(r.o.write_date || 'Z') AS updated_at
  FROM read AS r
  LEFT JOIN taxed AS t ON t.vendor_id = r.vendor_id
)

SELECT
  vendor_id,
  parent_id,
  sku,
  norm_sku(sku) AS sku_norm,
  gtin,
  norm_gtin(gtin) AS gtin_norm,
  title,
  CAST(NULL AS VARCHAR) AS option_title,
  category,
  status,
  is_tracked,
  is_kit,
  tax_rate_bp,
  tax_basis,
  nullif(TRY_CAST(round(cost * CAST(power(10, currency_digits(currency)) AS BIGINT)) AS BIGINT), 0) AS cost_minor,
  currency,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  '{}' AS write_context,
  misshapen || problems([
    number_key_problem(parent_json, 'parent_id'),
    blank_problem(norm_sku(sku), 'sku'),
    too_long_problem(sku, 'sku', 500),
    control_problem(sku, 'sku'),
    too_long_problem(gtin, 'gtin', 500),
    control_problem(gtin, 'gtin'),
    too_long_problem(title, 'title', 500),
    control_problem(title, 'title'),
    price_problem(TRY_CAST(round(cost * CAST(power(10, currency_digits(currency)) AS BIGINT)) AS BIGINT), 'cost')
  ]) AS problems
FROM flat
WHERE type IS DISTINCT FROM 'service' OR sku IS NOT NULL
