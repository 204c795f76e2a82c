-- grain: one row per thing that is sold, at 'shop': WooCommerce knows no locations
-- key: vendor_id, vendor_location_id
-- why: the one number is what can still be sold: it falls with the order and not with its delivery. Where stock is not
--      managed the number means nothing. A variation that shares the count of its product has none of its own, so which
--      of them is there cannot be told: a problem, neither 0 nor untracked. May be below zero (backorders)
WITH products AS (
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
  WHERE NOT p.is_parent AND coalesce(as_key(p.p -> '$.type'), '') NOT IN ('grouped', 'external')
  UNION ALL
  SELECT v.id, v.v, v.parent_id
  FROM variations AS v
  LEFT JOIN products AS p ON p.id = v.parent_id
  WHERE v.parent_id IS NULL OR list_contains(p.listed, v.id) OR NOT p.is_list
),

read AS (
  SELECT
    vendor_id,
    product_id,
    own ->> '$.manage_stock' AS managed,
    own ->> '$.stock_quantity' AS quantity,
    to_units(own ->> '$.stock_quantity') AS units,
    wrong_numbers(json_type(own, ['$.stock_quantity']), ['available']) AS misshapen,
    to_moment((own ->> '$.date_modified_gmt') || 'Z') AS updated_at
  FROM every
)

SELECT
  vendor_id,
  'shop' AS vendor_location_id,
  CAST(NULL AS BIGINT) AS on_hand,
  CAST(NULL AS BIGINT) AS committed,
  CASE WHEN managed = 'true' THEN units END AS available,
  managed = 'true' AS is_tracked,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('product_id', product_id) AS VARCHAR) AS write_context,
  misshapen || problems([
    problem(coalesce(managed, '') NOT IN ('true', 'false', 'parent'), 'is_tracked', 'not true or false', 'unknown value'),
    problem(managed = 'parent', 'available', 'counted together with its siblings', 'number'),
    missing_problem(managed = 'true' AND quantity IS NULL, 'available'),
    count_problem(managed = 'true' AND quantity IS NOT NULL AND units IS NULL, 'available'),
    large_problem(managed = 'true' AND abs(units) > 1000000000, 'available')
  ]) AS problems
FROM read
