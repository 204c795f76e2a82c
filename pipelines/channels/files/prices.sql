-- grain: one line of a file of prices that holds an amount, or ought to
-- key: vendor_id, vendor_price_list (a column, the mapping's word, or a part of the file's name)
-- why: amounts are in the writing that the mapping names and in no other: "12.50" where the decimal sign is a comma is
--      refused, never guessed. A line without an amount has no price, and is kept out rather than read as zero
WITH parsed AS (
  SELECT
    from_json(payload, '{"key": "VARCHAR", "place": "VARCHAR", "table": "VARCHAR", "file": "VARCHAR", "line": "VARCHAR",
      "times": "VARCHAR", "values": {"amount": "VARCHAR", "compare_at": "VARCHAR", "currency": "VARCHAR",
      "tax_rate": "VARCHAR", "updated_at": "VARCHAR", "removed": "VARCHAR"},
      "shape": {"decimal": "VARCHAR", "thousands": "VARCHAR", "dates": "VARCHAR", "timezone": "VARCHAR",
      "currency": "VARCHAR", "tax_basis": "VARCHAR", "unit": "VARCHAR", "yes": ["VARCHAR"], "no": ["VARCHAR"]}}') AS r
  FROM raw_files.prices
), read AS (
  SELECT
    r.key AS vendor_id,
    r.place AS vendor_price_list,
    upper(coalesce(r.values.currency, nullif(r.shape.currency, ''))) AS currency,
    regexp_replace(r.values.amount, '[\s\p{Z}]*€$', CASE WHEN currency = 'EUR' THEN '' ELSE '€' END) AS amount,
    regexp_replace(r.values.compare_at, '[\s\p{Z}]*€$', CASE WHEN currency = 'EUR' THEN '' ELSE '€' END) AS compare_at,
    amount_of_file(amount, r.shape.decimal, r.shape.thousands, r.shape.unit, currency) AS amount_minor,
    amount_of_file(compare_at, r.shape.decimal, r.shape.thousands, r.shape.unit, currency) AS compare_at_minor,
    r.shape.decimal AS decimal,
    r.shape.thousands AS thousands,
    r.shape.tax_basis AS tax_basis,
    r.values.tax_rate AS tax_rate,
    TRY_CAST(plain_decimal(regexp_replace(r.values.tax_rate, '[\s\p{Z}]*%$', ''), r.shape.decimal, r.shape.thousands)
      AS DECIMAL(9, 4)) AS tax_pct,
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
  vendor_price_list,
  currency,
  amount_minor,
  compare_at_minor,
  tax_basis,
  CAST(tax_pct * 100 AS INTEGER) AS tax_rate_bp,
  CAST(NULL AS TIMESTAMPTZ) AS valid_until,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('table', table_name, 'file', file, 'line', line, 'digits', currency_digits(currency)) AS VARCHAR)
    AS write_context,
  at_line(problems([
    twice_problem(times),
    unknown_problem(removed IS NOT NULL AND is_removed IS NULL, 'removed', 'word for yes or no'),
    missing_problem(amount IS NULL, 'amount'),
    unknown_problem(currency_digits(currency) IS NULL, 'currency', 'currency'),
    file_amount_problem(amount, amount_minor, decimal, thousands, currency, 'amount'),
    price_problem(amount_minor, 'amount'),
    file_amount_problem(compare_at, compare_at_minor, decimal, thousands, currency, 'compare_at'),
    price_problem(compare_at_minor, 'compare_at'),
    problem(tax_rate IS NOT NULL AND coalesce(tax_pct NOT BETWEEN 0 AND 100 OR (tax_pct > 0 AND tax_pct < 1), true),
      'tax_rate', 'not a rate in per cent', 'text')
  ]), file, line) AS problems
FROM read
WHERE NOT coalesce(is_removed, false)
