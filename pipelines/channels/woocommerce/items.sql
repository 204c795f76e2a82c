-- grain: one row per thing that is sold: a product of its own, or a variation of a variable one
-- key: vendor_id (product or variation id; the two share one sequence)
-- why: title, category and publication of a variation are its product's, tax class and stock its own. A variation that
--      its product does not list any more is deleted, and left out. Prices hold the tax by a setting of the whole shop;
--      the rate is that of the tax class at the shop's own address, known only where exactly one applies there. Grouped
--      and bundled products are made up of others: kits
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
      OR coalesce(starts_with(as_key(payload -> '$.type'), 'variable'), FALSE) AS is_parent,
    wrong_kinds(
      json_type(payload, ['$.name', '$.status', '$.categories', '$.type', '$.variations']),
      ['VARCHAR', 'VARCHAR', 'ARRAY', 'VARCHAR', 'ARRAY'], ['title', 'status', 'category', 'type', 'variations'])
    || wrong_elements(json_type(payload, '$.variations[*]'), 'UBIGINT', 'variations')
    || wrong_elements(json_type(payload, '$.categories[*]'), 'OBJECT', 'category')
    || wrong_elements(json_type(payload, '$.categories[*].name'), 'VARCHAR', 'category') AS misshapen
  FROM raw_woocommerce.products
),

variations AS (
  SELECT
    id,
    payload -> '$.parent_id' AS parent_json,
    as_number_key(payload -> '$.parent_id') AS parent_id,
    payload -> '$.variation' AS v
  FROM raw_woocommerce.variations
),

every AS (
  SELECT
    p.id AS vendor_id,
    p.id AS parent_id,
    p.p AS own,
    p.p AS product,
    '' AS product_id,
    CAST(NULL AS VARCHAR) AS option_title,
    p.misshapen || problems([missing_problem(coalesce(p.p ->> '$.type', '') = '', 'type')]) AS misshapen
  FROM products AS p
  WHERE NOT p.is_parent
  UNION ALL
  SELECT
    v.id,
    v.parent_id,
    v.v,
    p.p,
    v.parent_id,
    nullif(array_to_string(list_transform(from_json(v.v -> '$.attributes', '[{"option": "VARCHAR"}]'),
      lambda a: trim(a.option)), ' / '), ''),
    coalesce(p.misshapen, []) || problems([number_key_problem(v.parent_json, 'parent_id')])
      || wrong_kinds(json_type(v.v, ['$.attributes']), ['ARRAY'], ['option_title'])
      || wrong_elements(json_type(v.v, '$.attributes[*]'), 'OBJECT', 'option_title')
      || wrong_elements(json_type(v.v, '$.attributes[*].option'), 'VARCHAR', 'option_title')
  FROM variations AS v
  LEFT JOIN products AS p ON p.id = v.parent_id
  WHERE v.parent_id IS NULL OR list_contains(p.listed, v.id) OR NOT p.is_list
),

read AS (
  SELECT
    e.vendor_id, e.parent_id, e.product_id, e.option_title, e.own,
    wrong_kinds(
      json_type(e.own, ['$.sku', '$.global_unique_id', '$.status', '$.tax_class', '$.tax_status']),
      ['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR'], ['sku', 'gtin', 'status', 'tax', 'tax']
    ) || e.misshapen AS misshapen,
    e.own ->> '$.sku' AS sku,
    nullif(trim(e.own ->> '$.global_unique_id'), '') AS gtin,
    e.product ->> '$.name' AS title,
    nullif(trim(e.product ->> '$.categories[0].name'), '') AS category,
    e.own ->> '$.status' AS own_status,
    e.product ->> '$.status' AS product_status,
    e.product ->> '$.type' AS product_type,
    e.own -> '$.manage_stock' AS managed,
    e.own ->> '$.tax_status' AS tax_status,
    coalesce(nullif(e.own ->> '$.tax_class', ''), 'standard') AS tax_class
  FROM every AS e
)

SELECT
  r.vendor_id,
  r.parent_id,
  r.sku,
  norm_sku(r.sku) AS sku_norm,
  r.gtin,
  norm_gtin(r.gtin) AS gtin_norm,
  r.title,
  r.option_title,
  r.category,
  CASE WHEN r.own_status = 'publish' AND r.product_status = 'publish' THEN 'active' ELSE 'unpublished' END AS status,
  (r.managed ->> '$') IN ('true', 'parent') AS is_tracked,
  coalesce(r.product_type IN ('grouped', 'bundle', 'composite'), FALSE) AS is_kit,
  CASE WHEN s.has_taxes = 'yes' THEN CASE WHEN r.tax_status = 'taxable' THEN t.rate_bp ELSE 0 END END AS tax_rate_bp,
  CASE WHEN s.has_taxes = 'no' THEN 'gross' WHEN s.includes_tax = 'yes' THEN 'gross' WHEN s.includes_tax = 'no' THEN 'net'
    ELSE 'unknown' END AS tax_basis,
  CAST(NULL AS BIGINT) AS cost_minor,
  s.currency,
  CAST(NULL AS VARCHAR) AS version,
  to_moment((r.own ->> '$.date_modified_gmt') || 'Z') AS updated_at,
  CAST(json_object('product_id', r.product_id) AS VARCHAR) AS write_context,
  r.misshapen || problems([
    blank_problem(norm_sku(r.sku), 'sku'),
    too_long_problem(r.sku, 'sku', 100),
    control_problem(r.sku, 'sku'),
    too_long_problem(r.gtin, 'gtin', 100),
    control_problem(r.gtin, 'gtin'),
    blank_problem(nullif(trim(r.title), ''), 'title'),
    too_long_problem(r.title, 'title', 500),
    control_problem(r.title, 'title'),
    too_long_problem(r.option_title, 'option_title', 500),
    control_problem(r.option_title, 'option_title'),
    problem(coalesce(r.own_status, '') NOT IN ('publish', 'draft', 'pending', 'private', 'future'),
      'status', 'not a known status', 'unknown value'),
    problem(coalesce(r.product_status, '') NOT IN ('publish', 'draft', 'pending', 'private', 'future'),
      'status', 'not a known status', 'unknown value'),
    problem(coalesce(r.managed ->> '$', '') NOT IN ('true', 'false', 'parent'),
      'is_tracked', 'not true or false', 'unknown value'),
    problem(coalesce(r.tax_status, '') NOT IN ('taxable', 'shipping', 'none'), 'tax', 'not a known tax status', 'unknown value')
  ]) AS problems
FROM read AS r
CROSS JOIN shop AS s
LEFT JOIN rates AS t ON t.tax_class = r.tax_class
