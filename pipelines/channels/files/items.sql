-- grain: one line of a file of items that says the item is not gone
-- key: vendor_id (what the mapping's key column holds)
-- why: files hold text, numbers in the writing that their mapping names. Where no column is the SKU the key is, as in most
--      exports; whether an item is sold, a kit or counted is said in the mapping's words for yes and no, and where no
--      column says it nobody knows, except that what is listed is sold
WITH parsed AS (
  SELECT
    id,
    from_json(payload, '{"key": "VARCHAR", "table": "VARCHAR", "file": "VARCHAR", "line": "VARCHAR", "times": "VARCHAR",
      "values": {"sku": "VARCHAR", "gtin": "VARCHAR", "title": "VARCHAR", "option_title": "VARCHAR", "category": "VARCHAR",
      "published": "VARCHAR", "is_kit": "VARCHAR", "is_tracked": "VARCHAR", "tax_rate": "VARCHAR", "cost": "VARCHAR",
      "currency": "VARCHAR", "updated_at": "VARCHAR", "removed": "VARCHAR"},
      "shape": {"decimal": "VARCHAR", "thousands": "VARCHAR", "dates": "VARCHAR", "timezone": "VARCHAR",
      "currency": "VARCHAR", "tax_basis": "VARCHAR", "unit": "VARCHAR", "yes": ["VARCHAR"], "no": ["VARCHAR"]}}') AS r
  FROM raw_files.items
), read AS (
  SELECT
    id,
    r.key AS vendor_id,
    coalesce(r.values.sku, r.key) AS sku,
    r.values.gtin AS gtin,
    r.values.title AS title,
    r.values.option_title AS option_title,
    r.values.category AS category,
    r.values.published AS published,
    said(r.values.published, r.shape.yes, r.shape.no) AS is_published,
    r.values.is_kit AS kit,
    said(r.values.is_kit, r.shape.yes, r.shape.no) AS is_kit,
    r.values.is_tracked AS tracked,
    said(r.values.is_tracked, r.shape.yes, r.shape.no) AS is_tracked,
    r.values.tax_rate AS tax_rate,
    TRY_CAST(plain_decimal(regexp_replace(r.values.tax_rate, '[\s\p{Z}]*%$', ''), r.shape.decimal, r.shape.thousands)
      AS DECIMAL(9, 4)) AS tax_pct,
    r.values.cost AS cost,
    upper(coalesce(r.values.currency, nullif(r.shape.currency, ''))) AS currency,
    amount_of_file(r.values.cost, r.shape.decimal, r.shape.thousands, r.shape.unit, currency) AS cost_minor,
    r.shape.decimal AS decimal,
    r.shape.thousands AS thousands,
    r.shape.tax_basis AS tax_basis,
    moment_of_file(r.values.updated_at, r.shape.dates, r.shape.timezone) AS updated_at,
    said(r.values.removed, r.shape.yes, r.shape.no) AS is_removed,
    r.values.removed AS removed,
    r.table AS table_name,
    r.file AS file,
    r.line AS line,
    TRY_CAST(r.times AS INTEGER) AS times
  FROM parsed
)
SELECT
  vendor_id,
  vendor_id AS parent_id,
  sku,
  norm_sku(sku) AS sku_norm,
  gtin,
  norm_gtin(gtin) AS gtin_norm,
  title,
  option_title,
  category,
  CASE WHEN is_published = false THEN 'unpublished' ELSE 'active' END AS status,
  is_tracked,
  is_kit,
  CAST(tax_pct * 100 AS INTEGER) AS tax_rate_bp,
  tax_basis,
  cost_minor,
  currency,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('table', table_name, 'file', file, 'line', line) AS VARCHAR) AS write_context,
  at_line(problems([
    twice_problem(times),
    unknown_problem(removed IS NOT NULL AND is_removed IS NULL, 'removed', 'word for yes or no'),
    blank_problem(norm_sku(sku), 'sku'),
    too_long_problem(sku, 'sku', 255),
    control_problem(sku, 'sku'),
    too_long_problem(gtin, 'gtin', 255),
    control_problem(gtin, 'gtin'),
    too_long_problem(title, 'title', 1000),
    control_problem(title, 'title'),
    too_long_problem(option_title, 'option_title', 500),
    control_problem(option_title, 'option_title'),
    unknown_problem(published IS NOT NULL AND is_published IS NULL, 'status', 'word for yes or no'),
    unknown_problem(kit IS NOT NULL AND is_kit IS NULL, 'is_kit', 'word for yes or no'),
    unknown_problem(tracked IS NOT NULL AND is_tracked IS NULL, 'is_tracked', 'word for yes or no'),
    problem(tax_rate IS NOT NULL AND coalesce(tax_pct NOT BETWEEN 0 AND 100 OR (tax_pct > 0 AND tax_pct < 1), true),
      'tax_rate', 'not a rate in per cent', 'text'),
    unknown_problem(cost IS NOT NULL AND currency_digits(currency) IS NULL, 'currency', 'currency'),
    file_amount_problem(cost, cost_minor, decimal, thousands, currency, 'cost'),
    price_problem(cost_minor, 'cost')
  ]), file, line) AS problems
FROM read
WHERE NOT coalesce(is_removed, false)
