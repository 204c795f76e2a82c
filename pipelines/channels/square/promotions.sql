-- grain: one variation in one promotion of the till
-- key: promotion_id, vendor_id
-- why: a promotion is a PRICING_RULE that points to a PRODUCT_SET (variations, or items with all of theirs) and a
--      DISCOUNT. Dates are local and both included. Only a whole percentage off each piece, for everybody, all day and
--      in every shop, is a lower price that the webshop can show. What is taken off under a condition leaves the price
--      on the tag as it is: kept out as that, and nothing waits for it. Any other rule is a problem, not a guess, and
--      the price is unknown (reconcile.blocked).
WITH objects AS (
  SELECT
    id,
    payload,
    payload ->> '$.type' AS kind,
    coalesce(payload ->> '$.present_at_all_locations', 'true') = 'true'
      AND coalesce(json_array_length(payload -> '$.absent_at_location_ids'), 0) = 0 AS is_everywhere
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' IN ('PRICING_RULE', 'PRODUCT_SET', 'DISCOUNT')
    AND coalesce(payload ->> '$.is_deleted', 'false') <> 'true'
),

rules AS (
  SELECT
    id AS promotion_id,
    is_everywhere,
    from_json(payload, '{"pricing_rule_data":{"discount_id":"VARCHAR","match_products_id":"VARCHAR",
      "apply_products_id":"VARCHAR","exclude_products_id":"VARCHAR","valid_from_date":"VARCHAR",
      "valid_until_date":"VARCHAR","valid_from_local_time":"VARCHAR","valid_until_local_time":"VARCHAR",
      "customer_group_ids_any":["VARCHAR"],"time_period_ids":["VARCHAR"],
      "minimum_order_subtotal_money":{"amount":"VARCHAR"}}}') AS o
  FROM objects
  WHERE kind = 'PRICING_RULE'
),

product_sets AS (
  SELECT
    id AS product_set_id,
    is_everywhere,
    coalesce(o.all_products = 'true', FALSE) AS is_all,
    list_concat(o.product_ids_any, o.product_ids_all) AS product_ids,
    coalesce(len(o.product_ids_all), 0) <= 1 AND o.quantity_exact IS NULL AND o.quantity_max IS NULL
      AND coalesce(o.quantity_min, '1') IN ('0', '1') AS is_each_piece
  FROM (
    SELECT
      id,
      is_everywhere,
      from_json(payload -> '$.product_set_data', '{"all_products":"VARCHAR","product_ids_any":["VARCHAR"],
        "product_ids_all":["VARCHAR"],"quantity_exact":"VARCHAR","quantity_min":"VARCHAR","quantity_max":"VARCHAR"}')
        AS o
    FROM objects
    WHERE kind = 'PRODUCT_SET'
  ) AS sets
),

discounts AS (
  SELECT
    id AS discount_id,
    is_everywhere,
    payload ->> '$.discount_data.discount_type' AS discount_type,
    TRY_CAST(payload ->> '$.discount_data.percentage' AS DECIMAL(9, 4)) AS percentage,
    payload ->> '$.discount_data.maximum_amount_money' IS NOT NULL AS has_ceiling,
    coalesce(payload ->> '$.discount_data.pin_required' = 'true', FALSE) AS needs_pin,
    coalesce(payload ->> '$.discount_data.modify_tax_basis' = 'DO_NOT_MODIFY_TAX_BASIS', FALSE) AS leaves_tax
  FROM objects
  WHERE kind = 'DISCOUNT'
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
),

judged AS (
  SELECT
    r.promotion_id,
    m.vendor_id,
    CAST(d.percentage AS INTEGER) AS percent,
    TRY_CAST(r.o.pricing_rule_data.valid_from_date AS DATE) AS starts_on,
    TRY_CAST(r.o.pricing_rule_data.valid_until_date AS DATE) AS ends_on,
    problems([
      problem(coalesce(len(r.o.pricing_rule_data.customer_group_ids_any), 0) > 0, 'condition', 'not for everybody', 'list'),
      problem(
        coalesce(len(r.o.pricing_rule_data.time_period_ids), 0) > 0
          OR r.o.pricing_rule_data.valid_from_local_time IS NOT NULL
          OR r.o.pricing_rule_data.valid_until_local_time IS NOT NULL,
        'condition', 'not all day', 'text'
      ),
      problem(
        r.o.pricing_rule_data.minimum_order_subtotal_money IS NOT NULL
          AND r.o.pricing_rule_data.minimum_order_subtotal_money.amount IS DISTINCT FROM '0',
        'condition', 'not for every basket', 'number'
      ),
      problem(
        NOT p.is_each_piece OR r.o.pricing_rule_data.apply_products_id IS NOT NULL,
        'condition', 'not for every piece', 'number'
      ),
      problem(
        NOT (r.is_everywhere AND p.is_everywhere AND coalesce(d.is_everywhere, TRUE)),
        'condition', 'not in every shop', 'list'
      ),
      problem(d.needs_pin, 'condition', 'asks for a PIN', 'boolean')
    ]) AS conditions,
    problems([
      missing_problem(d.discount_id IS NULL, 'discount'),
      problem(
        d.discount_id IS NOT NULL
          AND (d.discount_type IS DISTINCT FROM 'FIXED_PERCENTAGE' OR d.percentage IS NULL
            OR d.percentage <> floor(d.percentage)),
        'percent', 'not a whole percentage', 'text'
      ),
      problem(d.has_ceiling, 'discount', 'ends at an amount', 'number'),
      problem(d.leaves_tax, 'discount', 'leaves the tax as it is', 'text'),
      problem(d.percentage < 0 OR d.percentage > 100, 'percent', 'out of range', 'number'),
      problem(TRY_CAST(r.o.pricing_rule_data.valid_from_date AS DATE) IS NULL, 'starts_on', 'not a date', 'text'),
      problem(TRY_CAST(r.o.pricing_rule_data.valid_until_date AS DATE) IS NULL, 'ends_on', 'not a date', 'text'),
      problem(r.o.pricing_rule_data.exclude_products_id IS NOT NULL, 'promotion', 'has exclusions', 'text')
    ]) AS faults
  FROM rules AS r
  INNER JOIN product_sets AS p ON p.product_set_id = r.o.pricing_rule_data.match_products_id
  INNER JOIN matched AS m ON m.product_set_id = p.product_set_id
  LEFT JOIN discounts AS d ON d.discount_id = r.o.pricing_rule_data.discount_id
)

SELECT
  promotion_id,
  vendor_id,
  percent,
  starts_on,
  ends_on,
  CASE WHEN coalesce(len(conditions), 0) > 0 THEN conditions ELSE faults END AS problems
FROM judged
