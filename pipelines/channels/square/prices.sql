-- grain: one price of one variation, in the base list or at one location; deleted variations are left out
-- key: vendor_id, vendor_price_list
-- why: Square has no price lists but a base price and overrides by location. A price decided at the counter
--      (VARIABLE_PRICING) is nothing to compare and is left out; a fixed price without an amount is a problem.
--      Amounts are JSON numbers in minor units: "12,50" or 12.5 is never read as a number. A variation whose
--      parts are of the wrong shape is a problem of its item (items).
WITH variations AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"is_deleted":"VARCHAR","version":"VARCHAR","updated_at":"VARCHAR",
      "item_variation_data":{"item_id":"VARCHAR","pricing_type":"VARCHAR",
        "price_money":{"amount":"JSON","currency":"JSON"},
        "location_overrides":[{"location_id":"JSON","price_money":{"amount":"JSON","currency":"JSON"}}]}}') AS o
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'ITEM_VARIATION'
),

living AS (
  SELECT vendor_id, o
  FROM variations
  WHERE coalesce(o.is_deleted, 'false') <> 'true'
),

parents AS (
  SELECT id AS parent_id, from_json(payload, '{"item_data":{"tax_ids":["VARCHAR"]}}') AS o
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'ITEM'
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

listed AS (
  SELECT
    vendor_id,
    'base' AS vendor_price_list,
    o.item_variation_data.price_money.amount AS amount_json,
    o.item_variation_data.price_money.currency AS currency_json,
    o.item_variation_data.item_id AS parent_id,
    o.version AS version,
    o.updated_at AS updated_at
  FROM living
  WHERE coalesce(o.item_variation_data.pricing_type, 'FIXED_PRICING') <> 'VARIABLE_PRICING'
  UNION ALL
  SELECT
    vendor_id,
    'location:' || as_key(override.location_id) AS vendor_price_list,
    override.price_money.amount AS amount_json,
    override.price_money.currency AS currency_json,
    parent_id,
    version,
    updated_at
  FROM (
    SELECT
      vendor_id,
      unnest(o.item_variation_data.location_overrides) AS override,
      o.item_variation_data.item_id AS parent_id,
      o.version AS version,
      o.updated_at AS updated_at
    FROM living
  ) AS overrides
  WHERE override.price_money IS NOT NULL
),

read AS (
  SELECT
    vendor_id,
    vendor_price_list,
    parent_id,
    version,
    updated_at,
    amount_json,
    currency_json ->> '$' AS currency,
    CASE WHEN json_type(amount_json) IN ('UBIGINT', 'BIGINT') THEN TRY_CAST(amount_json ->> '$' AS BIGINT) END
      AS amount_minor
  FROM listed
)

SELECT
  r.vendor_id,
  r.vendor_price_list,
  r.currency,
  r.amount_minor,
  CAST(NULL AS BIGINT) AS compare_at_minor,
  CASE WHEN t.tax_count = 1 THEN coalesce(t.basis, 'unknown') ELSE 'unknown' END AS tax_basis,
  CASE WHEN t.tax_count = 1 THEN t.rate_bp END AS tax_rate_bp,
  CAST(NULL AS TIMESTAMPTZ) AS valid_until,
  r.version,
  to_moment(r.updated_at) AS updated_at,
  '{}' AS write_context,
  problems([
    missing_problem(r.vendor_price_list IS NULL, 'location'),
    missing_problem(coalesce(json_type(r.amount_json), 'NULL') = 'NULL', 'amount'),
    problem(
      r.amount_minor IS NULL AND json_type(r.amount_json) <> 'NULL', 'amount', 'not a whole number',
      lower(json_type(r.amount_json))
    ),
    price_problem(r.amount_minor, 'amount'),
    missing_problem(r.currency IS NULL, 'currency'),
    unknown_problem(r.currency IS NOT NULL AND currency_digits(r.currency) IS NULL, 'currency', 'currency')
  ]) AS problems
FROM read AS r
LEFT JOIN parent_taxes AS t ON t.parent_id = r.parent_id
