-- grain: one line of a file of customers
-- key: vendor_id (what the key column holds; the hash of the address where that is the key)
-- why: a phone without a country prefix is one of the record's country, else of the country that the mapping names;
--      birth dates are read in the mapping's order of day and month
WITH parsed AS (
  SELECT
    from_json(payload, '{"key": "VARCHAR", "table": "VARCHAR", "file": "VARCHAR", "line": "VARCHAR", "times": "VARCHAR",
      "values": {"first_name": "VARCHAR", "last_name": "VARCHAR", "email": "VARCHAR", "phone": "VARCHAR",
      "street": "VARCHAR", "city": "VARCHAR", "postcode": "VARCHAR", "country": "VARCHAR", "card": "VARCHAR",
      "loyalty_points": "VARCHAR", "birth_date": "VARCHAR", "created_at": "VARCHAR", "updated_at": "VARCHAR", "removed": "VARCHAR"},
      "shape": {"country": "VARCHAR", "decimal": "VARCHAR", "thousands": "VARCHAR", "dates": "VARCHAR", "timezone": "VARCHAR",
      "yes": ["VARCHAR"], "no": ["VARCHAR"]}}')
      AS r
  FROM raw_files.customers
), read AS (
  SELECT
    r.key AS vendor_id,
    r.values.first_name AS first_name,
    r.values.last_name AS last_name,
    r.values.email AS email,
    r.values.phone AS phone,
    r.values.street AS street,
    r.values.city AS city,
    r.values.postcode AS postcode,
    CASE upper(coalesce(r.values.country, nullif(r.shape.country, '')))
      WHEN 'FRANCE' THEN 'FR'
      WHEN 'SUISSE' THEN 'CH' WHEN 'SWITZERLAND' THEN 'CH'
      WHEN 'BELGIQUE' THEN 'BE' WHEN 'BELGIUM' THEN 'BE'
      WHEN 'JAPON' THEN 'JP' WHEN 'JAPAN' THEN 'JP'
      ELSE upper(coalesce(r.values.country, nullif(r.shape.country, ''))) END AS country,
    norm_phone(phone, country) AS phone_e164,
    r.values.card AS card,
    r.values.loyalty_points AS points_text,
    to_units(plain_decimal(r.values.loyalty_points, r.shape.decimal, r.shape.thousands)) AS points,
    r.values.birth_date AS birth_text,
    CAST(try_strptime(birth_key(r.values.birth_date, r.shape.dates = 'month-day-year'), '%Y%m%d') AS DATE) AS born_on,
    moment_of_file(r.values.created_at, r.shape.dates, r.shape.timezone) AS created_at,
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
  first_name,
  last_name,
  email,
  norm_email(email) AS email_norm,
  phone,
  phone_e164,
  street,
  city,
  postcode,
  country,
  card,
  CAST(points AS VARCHAR) AS loyalty_points,
  born_on AS birth_date,
  CAST(NULL AS VARCHAR) AS version,
  created_at,
  updated_at,
  CAST(json_object('table', table_name, 'file', file, 'line', line) AS VARCHAR) AS write_context,
  at_line(problems([
    twice_problem(times),
    unknown_problem(removed IS NOT NULL AND is_removed IS NULL, 'removed', 'word for yes or no'),
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    count_problem(points_text IS NOT NULL AND points IS NULL, 'loyalty_points'),
    negative_problem(points, 'loyalty_points'),
    date_problem(birth_text IS NOT NULL AND born_on IS NULL, 'birth_date'),
    too_long_problem(first_name, 'first_name', 255),
    too_long_problem(last_name, 'last_name', 255),
    too_long_problem(street, 'street', 255),
    too_long_problem(city, 'city', 255),
    too_long_problem(postcode, 'postcode', 255),
    too_long_problem(phone, 'phone', 255),
    control_problem(first_name, 'first_name'),
    control_problem(last_name, 'last_name'),
    control_problem(street, 'street'),
    control_problem(city, 'city'),
    control_problem(postcode, 'postcode'),
    control_problem(phone, 'phone'),
    control_problem(card, 'card')
  ]), file, line) AS problems
FROM read
WHERE NOT coalesce(is_removed, false)
