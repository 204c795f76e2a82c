-- grain: one row per product variant (the sellable thing)
-- key: vendor_id (ProductVariant gid)
-- why: a variant's facts lie in three records (variant, product, inventory item), read together; Shopify has no
--      versions and no tax rate of an item, so those are NULL, and says for the whole shop whether prices hold the tax
WITH given AS (
  SELECT
    id,
    from_json(payload, '{"sku": "VARCHAR", "barcode": "VARCHAR", "title": "VARCHAR", "requiresComponents": "VARCHAR",
      "updatedAt": "VARCHAR", "product": {"id": "JSON", "title": "VARCHAR", "status": "VARCHAR",
      "productType": "VARCHAR"}, "inventoryItem": {"id": "JSON", "tracked": "VARCHAR",
      "unitCost": {"amount": "VARCHAR", "currencyCode": "VARCHAR"}}}') AS v,
    wrong_kinds(
      json_type(payload, ['$.sku', '$.product.title', '$.barcode', '$.title', '$.product.productType', '$.product',
        '$.inventoryItem', '$.inventoryItem.unitCost']),
      ['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'OBJECT', 'OBJECT', 'OBJECT'],
      ['sku', 'title', 'gtin', 'option_title', 'category', 'parent_id', 'inventory_item', 'cost']
    ) AS misshapen
  FROM raw_shopify.variants
),
shop AS (
  SELECT
    max(payload ->> '$.currencyCode') AS currency,
    CASE max(payload ->> '$.taxesIncluded') WHEN 'true' THEN 'gross' WHEN 'false' THEN 'net' ELSE 'unknown' END AS tax_basis
  FROM raw_shopify.shop
),
read AS (
  SELECT
    id, v, misshapen,
    v.inventoryItem.unitCost.amount AS cost,
    to_minor(v.inventoryItem.unitCost.amount, v.inventoryItem.unitCost.currencyCode) AS cost_minor
  FROM given
)
SELECT
  g.id AS vendor_id,
  as_key(g.v.product.id) AS parent_id,
  g.v.sku AS sku,
  norm_sku(g.v.sku) AS sku_norm,
  nullif(trim(g.v.barcode), '') AS gtin,
  norm_gtin(g.v.barcode) AS gtin_norm,
  g.v.product.title AS title,
  CASE WHEN g.v.title <> 'Default Title' THEN g.v.title END AS option_title,
  nullif(trim(g.v.product.productType), '') AS category,
  CASE g.v.product.status
    WHEN 'ACTIVE' THEN 'active' WHEN 'ARCHIVED' THEN 'archived'
    WHEN 'DRAFT' THEN 'unpublished' WHEN 'UNLISTED' THEN 'unpublished'
  END AS status,
  CASE g.v.inventoryItem.tracked WHEN 'true' THEN true WHEN 'false' THEN false END AS is_tracked,
  CASE g.v.requiresComponents WHEN 'true' THEN true WHEN 'false' THEN false END AS is_kit,
  CAST(NULL AS INTEGER) AS tax_rate_bp,
  s.tax_basis AS tax_basis,
  g.cost_minor,
  coalesce(g.v.inventoryItem.unitCost.currencyCode, s.currency) AS currency,
  CAST(NULL AS VARCHAR) AS version,
  to_moment(g.v.updatedAt) AS updated_at,
  CAST(json_object('product_id', as_key(g.v.product.id), 'inventory_item_id', as_key(g.v.inventoryItem.id)) AS VARCHAR) AS write_context,
  g.misshapen || problems([
    blank_problem(norm_sku(g.v.sku), 'sku'),
    too_long_problem(g.v.sku, 'sku', 255),
    control_problem(g.v.sku, 'sku'),
    too_long_problem(g.v.barcode, 'gtin', 255),
    control_problem(g.v.barcode, 'gtin'),
    blank_problem(nullif(trim(g.v.product.title), ''), 'title'),
    too_long_problem(g.v.product.title, 'title', 255),
    control_problem(g.v.product.title, 'title'),
    key_problem(g.v.product.id, 'parent_id'),
    key_problem(g.v.inventoryItem.id, 'inventory_item'),
    problem(coalesce(g.v.product.status, '') NOT IN ('ACTIVE', 'ARCHIVED', 'DRAFT', 'UNLISTED'),
      'status', 'not a known status', 'unknown value'),
    problem(coalesce(g.v.inventoryItem.tracked, '') NOT IN ('true', 'false'), 'is_tracked', 'not true or false', 'unknown value'),
    problem(coalesce(g.v.requiresComponents, '') NOT IN ('true', 'false'), 'is_kit', 'not true or false', 'unknown value'),
    amount_problem(g.cost IS NOT NULL AND g.cost_minor IS NULL, g.cost, 'cost'),
    price_problem(g.cost_minor, 'cost')
  ]) AS problems
FROM read AS g
CROSS JOIN shop AS s
