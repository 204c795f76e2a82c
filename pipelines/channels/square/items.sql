-- grain: one sellable variation of the till; deleted ones are left out
-- key: vendor_id
-- why: title, category and tax stand on the ITEM above it. What Square calls not stockable is a kit. A tax basis is
--      known only where exactly one enabled tax applies. Fields are taken as JSON first, so that a number where a
--      text belongs is a problem of its row;
--      what cannot be told to be a variation or something else is taken for one that cannot be read.
WITH variations AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"is_deleted":"VARCHAR","version":"VARCHAR","updated_at":"VARCHAR",
      "present_at_all_locations":"VARCHAR","present_at_location_ids":["VARCHAR"],
      "item_variation_data":{"item_id":"VARCHAR","name":"JSON","sku":"JSON","upc":"JSON","stockable":"VARCHAR",
        "track_inventory":"VARCHAR","price_money":{"currency":"VARCHAR"}}}') AS o,
    payload -> '$.type' AS type_json,
    payload -> '$.item_variation_data.location_overrides' AS overrides,
    wrong_kinds(
      json_type(payload, ['$.is_deleted', '$.present_at_all_locations', '$.present_at_location_ids',
        '$.item_variation_data', '$.item_variation_data.item_id', '$.item_variation_data.stockable',
        '$.item_variation_data.track_inventory', '$.item_variation_data.pricing_type',
        '$.item_variation_data.price_money', '$.item_variation_data.location_overrides']),
      ['BOOLEAN', 'BOOLEAN', 'ARRAY', 'OBJECT', 'VARCHAR', 'BOOLEAN', 'BOOLEAN', 'VARCHAR', 'OBJECT', 'ARRAY'],
      ['is_deleted', 'locations', 'locations', 'variation', 'parent_id', 'is_kit', 'is_tracked', 'pricing_type', 'price',
        'overrides']
    )
    || wrong_elements(json_type(payload, '$.present_at_location_ids[*]'), 'VARCHAR', 'locations')
    || wrong_elements(json_type(overrides, '$[*]'), 'OBJECT', 'overrides')
    || wrong_elements(json_type(overrides, '$[*].price_money'), 'OBJECT', 'overrides')
    || wrong_elements(json_type(overrides, '$[*].track_inventory'), 'BOOLEAN', 'overrides') AS misshapen
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'ITEM_VARIATION' OR as_key(payload -> '$.type') IS NULL
),

parents AS (
  SELECT
    id AS parent_id,
    from_json(payload, '{"item_data":{"name":"JSON","is_archived":"VARCHAR","tax_ids":["VARCHAR"],
      "categories":[{"id":"VARCHAR"}]}}') AS o,
    wrong_kinds(
      json_type(payload, ['$.item_data', '$.item_data.is_archived', '$.item_data.tax_ids', '$.item_data.categories']),
      ['OBJECT', 'BOOLEAN', 'ARRAY', 'ARRAY'], ['item', 'status', 'tax', 'category']
    )
    || wrong_elements(json_type(payload, '$.item_data.tax_ids[*]'), 'VARCHAR', 'tax')
    || wrong_elements(json_type(payload, '$.item_data.categories[*]'), 'OBJECT', 'category')
    || wrong_elements(json_type(payload, '$.item_data.categories[*].id'), 'VARCHAR', 'category') AS misshapen
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'ITEM'
),

categories AS (
  SELECT id AS category_id, payload ->> '$.category_data.name' AS name
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'CATEGORY'
),

taxes AS (
  SELECT
    id AS tax_id,
    CAST(round(TRY_CAST(payload ->> '$.tax_data.percentage' AS DECIMAL(9, 4)) * 100) AS INTEGER) AS rate_bp,
    CASE payload ->> '$.tax_data.inclusion_type' WHEN 'INCLUSIVE' THEN 'gross' WHEN 'ADDITIVE' THEN 'net' END AS basis
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'TAX'
    AND coalesce(payload ->> '$.is_deleted', 'false') <> 'true'
    AND coalesce(payload ->> '$.tax_data.enabled', 'true') = 'true'
),

parent_taxes AS (
  SELECT used.parent_id, max(taxes.rate_bp) AS rate_bp, max(taxes.basis) AS basis, count(*) AS tax_count
  FROM (SELECT parent_id, unnest(o.item_data.tax_ids) AS tax_id FROM parents) AS used
  INNER JOIN taxes ON taxes.tax_id = used.tax_id
  GROUP BY used.parent_id
),

flat AS (
  SELECT
    v.vendor_id,
    v.o.item_variation_data.item_id AS parent_id,
    v.o.item_variation_data.sku AS sku_json,
    v.o.item_variation_data.upc AS gtin_json,
    p.o.item_data.name AS title_json,
    v.o.item_variation_data.name AS option_json,
    v.o.item_variation_data.sku ->> '$' AS sku,
    v.o.item_variation_data.upc ->> '$' AS gtin,
    p.o.item_data.name ->> '$' AS title,
    v.o.item_variation_data.name ->> '$' AS option_title,
    c.name AS category,
    CASE
      WHEN p.o.item_data.is_archived = 'true' THEN 'archived'
      WHEN v.o.present_at_all_locations = 'false' AND coalesce(len(v.o.present_at_location_ids), 0) = 0
        THEN 'unpublished'
      ELSE 'active'
    END AS status,
    coalesce(v.o.item_variation_data.track_inventory = 'true', FALSE) AS is_tracked,
    coalesce(v.o.item_variation_data.stockable = 'false', FALSE) AS is_kit,
    CASE WHEN t.tax_count = 1 THEN t.rate_bp END AS tax_rate_bp,
    CASE WHEN t.tax_count = 1 THEN coalesce(t.basis, 'unknown') ELSE 'unknown' END AS tax_basis,
    v.o.item_variation_data.price_money.currency AS currency,
    v.type_json,
    v.misshapen || coalesce(p.misshapen, []) AS misshapen,
    v.o.version AS version,
    to_moment(v.o.updated_at) AS updated_at
  FROM variations AS v
  LEFT JOIN parents AS p ON p.parent_id = v.o.item_variation_data.item_id
  LEFT JOIN categories AS c ON c.category_id = p.o.item_data.categories[1].id
  LEFT JOIN parent_taxes AS t ON t.parent_id = v.o.item_variation_data.item_id
  WHERE coalesce(v.o.is_deleted, 'false') <> 'true'
)

SELECT
  vendor_id,
  parent_id,
  sku,
  norm_sku(sku) AS sku_norm,
  gtin,
  norm_gtin(gtin) AS gtin_norm,
  title,
  option_title,
  category,
  status,
  is_tracked,
  is_kit,
  tax_rate_bp,
  tax_basis,
  CAST(NULL AS BIGINT) AS cost_minor,
  currency,
  version,
  updated_at,
  '{}' AS write_context,
  misshapen || problems([
    key_problem(type_json, 'type'),
    blank_problem(norm_sku(sku), 'sku'),
    wrong_type_problem(sku_json, 'sku', 'VARCHAR'),
    too_long_problem(sku, 'sku', 500),
    control_problem(sku, 'sku'),
    wrong_type_problem(gtin_json, 'gtin', 'VARCHAR'),
    too_long_problem(gtin, 'gtin', 500),
    control_problem(gtin, 'gtin'),
    wrong_type_problem(title_json, 'title', 'VARCHAR'),
    too_long_problem(title, 'title', 500),
    control_problem(title, 'title'),
    wrong_type_problem(option_json, 'option_title', 'VARCHAR'),
    too_long_problem(option_title, 'option_title', 500),
    control_problem(option_title, 'option_title')
  ]) AS problems
FROM flat
