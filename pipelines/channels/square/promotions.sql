-- grain: one variation in one promotion of the till
-- key: promotion_id, vendor_id
-- why: a promotion is a PRICING_RULE that points to a PRODUCT_SET (variations, or items with all of theirs) and a
--      DISCOUNT. Dates are local and both included. Rules for some customers or some hours, and discounts that are
--      not a whole percentage, cannot be carried to the webshop as a price: they are problems, not guesses.
WITH rules AS (
  SELECT
    id AS promotion_id,
    from_json(payload, '{"is_deleted":"VARCHAR","pricing_rule_data":{"discount_id":"VARCHAR",
      "match_products_id":"VARCHAR","valid_from_date":"VARCHAR","valid_until_date":"VARCHAR",
      "customer_group_ids_any":["VARCHAR"],"time_period_ids":["VARCHAR"],"exclude_products_id":"VARCHAR",
      "valid_from_local_time":"VARCHAR","valid_until_local_time":"VARCHAR"}}') AS o
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'PRICING_RULE'
),

product_sets AS (
  SELECT
    id AS product_set_id,
    coalesce(payload ->> '$.product_set_data.all_products' = 'true', FALSE) AS is_all,
    from_json(payload -> '$.product_set_data.product_ids_any', '["VARCHAR"]') AS product_ids
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'PRODUCT_SET'
    AND coalesce(payload ->> '$.is_deleted', 'false') <> 'true'
),

discounts AS (
  SELECT
    id AS discount_id,
    payload ->> '$.discount_data.discount_type' AS discount_type,
    TRY_CAST(payload ->> '$.discount_data.percentage' AS DECIMAL(9, 4)) AS percentage
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'DISCOUNT'
    AND coalesce(payload ->> '$.is_deleted', 'false') <> 'true'
),

variations AS (
  SELECT id AS vendor_id, payload ->> '$.item_variation_data.item_id' AS parent_id
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'ITEM_VARIATION'
    AND coalesce(payload ->> '$.is_deleted', 'false') <> 'true'
),

members AS (
  SELECT product_set_id, unnest(product_ids) AS product_id
  FROM product_sets
),

matched AS (
  SELECT m.product_set_id, v.vendor_id
  FROM members AS m
  INNER JOIN variations AS v ON v.vendor_id = m.product_id
  UNION
  SELECT m.product_set_id, v.vendor_id
  FROM members AS m
  INNER JOIN variations AS v ON v.parent_id = m.product_id
  UNION
  SELECT p.product_set_id, v.vendor_id
  FROM product_sets AS p
  CROSS JOIN variations AS v
  WHERE p.is_all
)

SELECT
  r.promotion_id,
  m.vendor_id,
  CAST(d.percentage AS INTEGER) AS percent,
  TRY_CAST(r.o.pricing_rule_data.valid_from_date AS DATE) AS starts_on,
  TRY_CAST(r.o.pricing_rule_data.valid_until_date AS DATE) AS ends_on,
  problems([
    missing_problem(d.discount_id IS NULL, 'discount'),
    problem(
      d.discount_id IS NOT NULL
        AND (d.discount_type IS DISTINCT FROM 'FIXED_PERCENTAGE' OR d.percentage IS NULL
          OR d.percentage <> floor(d.percentage)),
      'percent', 'not a whole percentage', 'text'
    ),
    problem(d.percentage < 0 OR d.percentage > 100, 'percent', 'out of range', 'number'),
    problem(TRY_CAST(r.o.pricing_rule_data.valid_from_date AS DATE) IS NULL, 'starts_on', 'not a date', 'text'),
    problem(TRY_CAST(r.o.pricing_rule_data.valid_until_date AS DATE) IS NULL, 'ends_on', 'not a date', 'text'),
    problem(
      coalesce(len(r.o.pricing_rule_data.customer_group_ids_any), 0) > 0, 'promotion', 'not for everybody', 'list'
    ),
    problem(
      coalesce(len(r.o.pricing_rule_data.time_period_ids), 0) > 0
        OR r.o.pricing_rule_data.valid_from_local_time IS NOT NULL
        OR r.o.pricing_rule_data.valid_until_local_time IS NOT NULL,
      'promotion', 'not all day', 'text'
    ),
    problem(r.o.pricing_rule_data.exclude_products_id IS NOT NULL, 'promotion', 'has exclusions', 'text')
  ]) AS problems
FROM rules AS r
INNER JOIN matched AS m ON m.product_set_id = r.o.pricing_rule_data.match_products_id
LEFT JOIN discounts AS d ON d.discount_id = r.o.pricing_rule_data.discount_id
WHERE coalesce(r.o.is_deleted, 'false') <> 'true'
