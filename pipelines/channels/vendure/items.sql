-- grain: one row per product variant (the sellable thing)
-- key: vendor_id (ProductVariant id)
-- why: the barcode is a custom field of the retailer's, so it is there only where the options name it. A variant is for
--      sale where it and its product are enabled; whether it is tracked may be the shop's word for all. Vendure has no
--      cost, no versions and no kits, so those are NULL
WITH given AS (
  SELECT
    id,
    from_json(payload, '{"sku": "VARCHAR", "enabled": "VARCHAR", "trackInventory": "VARCHAR", "updatedAt": "VARCHAR",
      "options": "JSON", "product": {"id": "JSON", "name": "VARCHAR", "enabled": "VARCHAR"},
      "taxRateApplied": {"value": "VARCHAR"}, "customFields": {"gtin": "VARCHAR"}}') AS v,
    wrong_kinds(
      json_type(payload, ['$.sku', '$.product.name', '$.customFields.gtin', '$.trackInventory', '$.enabled',
        '$.product.enabled', '$.product', '$.taxRateApplied', '$.customFields', '$.options']),
      ['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'BOOLEAN', 'BOOLEAN', 'OBJECT', 'OBJECT', 'OBJECT', 'ARRAY'],
      ['sku', 'title', 'gtin', 'is_tracked', 'status', 'status', 'parent_id', 'tax_rate', 'gtin', 'option_title']
    ) || wrong_elements(json_type(payload, '$.options[*]'), 'OBJECT', 'option_title')
    || wrong_elements(json_type(payload, '$.options[*].name'), 'VARCHAR', 'option_title') AS misshapen
  FROM raw_vendure.variants
),
shop AS (
  SELECT
    max(payload ->> '$.channel.defaultCurrencyCode') AS currency,
    max(payload ->> '$.settings.trackInventory') AS tracks,
    CASE max(payload ->> '$.channel.pricesIncludeTax')
      WHEN 'true' THEN 'gross' WHEN 'false' THEN 'net' ELSE 'unknown' END AS tax_basis
  FROM raw_vendure.shop
),
read AS (
  SELECT
    g.id, g.v, g.misshapen, s.currency, s.tax_basis,
    CASE g.v.trackInventory WHEN 'INHERIT' THEN s.tracks ELSE lower(g.v.trackInventory) END AS tracked,
    TRY_CAST(g.v.taxRateApplied.value AS DECIMAL(9, 4)) AS tax_pct,
    CASE WHEN json_type(g.v.options) = 'ARRAY'
      THEN nullif(array_to_string(from_json(g.v.options -> '$[*].name', '["VARCHAR"]'), ' / '), '') END AS option_title
  FROM given AS g
  CROSS JOIN shop AS s
)
SELECT
  r.id AS vendor_id,
  as_key(r.v.product.id) AS parent_id,
  r.v.sku AS sku,
  norm_sku(r.v.sku) AS sku_norm,
  nullif(trim(r.v.customFields.gtin), '') AS gtin,
  norm_gtin(r.v.customFields.gtin) AS gtin_norm,
  r.v.product.name AS title,
  r.option_title,
  CAST(NULL AS VARCHAR) AS category,
  CASE WHEN r.v.enabled = 'true' AND r.v.product.enabled = 'true' THEN 'active' ELSE 'unpublished' END AS status,
  CASE r.tracked WHEN 'true' THEN true WHEN 'false' THEN false END AS is_tracked,
  CAST(NULL AS BOOLEAN) AS is_kit,
  CAST(round(100 * r.tax_pct) AS INTEGER) AS tax_rate_bp,
  r.tax_basis,
  CAST(NULL AS BIGINT) AS cost_minor,
  r.currency,
  CAST(NULL AS VARCHAR) AS version,
  to_moment(r.v.updatedAt) AS updated_at,
  CAST(NULL AS VARCHAR) AS write_context,
  r.misshapen || problems([
    blank_problem(norm_sku(r.v.sku), 'sku'),
    too_long_problem(r.v.sku, 'sku', 255),
    control_problem(r.v.sku, 'sku'),
    too_long_problem(r.v.customFields.gtin, 'gtin', 255),
    control_problem(r.v.customFields.gtin, 'gtin'),
    blank_problem(nullif(trim(r.v.product.name), ''), 'title'),
    too_long_problem(r.v.product.name, 'title', 255),
    control_problem(r.v.product.name, 'title'),
    key_problem(r.v.product.id, 'parent_id'),
    problem(coalesce(r.v.enabled, '') NOT IN ('true', 'false') OR coalesce(r.v.product.enabled, '') NOT IN ('true', 'false'),
      'status', 'not true or false', 'unknown value'),
    problem(coalesce(r.tracked, '') NOT IN ('true', 'false'), 'is_tracked', 'not true or false', 'unknown value'),
    problem(r.v.taxRateApplied.value IS NOT NULL AND coalesce(r.tax_pct NOT BETWEEN 0 AND 100, true),
      'tax_rate', 'not a rate', 'number')
  ]) AS problems
FROM read AS r
