-- grain: one HubSpot product
-- key: vendor_id
-- why: HubSpot mirrors the assortment for its quotes; its only key is hs_sku, it holds no barcode and no VAT rate
--      (the item's rate comes from the systems that have one), and its prices are net.
WITH parsed AS (
  SELECT
    id,
    from_json(payload, '{"archived": "VARCHAR", "updatedAt": "VARCHAR", "properties": {"name": "VARCHAR",
      "hs_sku": "VARCHAR", "category": "VARCHAR", "hs_status": "VARCHAR", "hs_cost_of_goods_sold": "VARCHAR"}}') AS r,
    json_type(payload, ['$.properties', '$.archived', '$.properties.hs_sku', '$.properties.name', '$.properties.category',
      '$.properties.hs_status']) AS types
  FROM raw_hubspot.products
), read AS (
  SELECT
    id,
    nullif(trim(r.properties.hs_sku), '') AS sku,
    nullif(trim(r.properties.name), '') AS title,
    nullif(trim(r.properties.category), '') AS category,
    nullif(trim(r.properties.hs_cost_of_goods_sold), '') AS cost,
    to_minor(cost, 'EUR') AS cost_minor,
    r.properties.hs_status AS hs_status,
    types,
    to_moment(r.updatedAt) AS updated_at
  FROM parsed
  WHERE coalesce(r.archived, 'false') <> 'true'
)
SELECT
  id AS vendor_id,
  id AS parent_id,
  sku,
  norm_sku(sku) AS sku_norm,
  CAST(NULL AS VARCHAR) AS gtin,
  CAST(NULL AS VARCHAR) AS gtin_norm,
  title,
  CAST(NULL AS VARCHAR) AS option_title,
  category,
  CASE WHEN hs_status = 'inactive' THEN 'unpublished' ELSE 'active' END AS status,
  CAST(NULL AS BOOLEAN) AS is_tracked,
  CAST(NULL AS BOOLEAN) AS is_kit,
  CAST(NULL AS INTEGER) AS tax_rate_bp,
  'net' AS tax_basis,
  cost_minor,
  'EUR' AS currency,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(NULL AS VARCHAR) AS write_context,
  wrong_kinds(types, ['OBJECT', 'BOOLEAN', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR'],
    ['properties', 'archived', 'sku', 'title', 'category', 'status']) || problems([
    blank_problem(norm_sku(sku), 'sku'),
    too_long_problem(sku, 'sku', 255),
    too_long_problem(title, 'title', 1000),
    control_problem(sku, 'sku'),
    control_problem(title, 'title'),
    amount_problem(cost IS NOT NULL AND cost_minor IS NULL, cost, 'cost'),
    price_problem(cost_minor, 'cost')
  ]) AS problems
FROM read
