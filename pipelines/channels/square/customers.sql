-- grain: one customer profile of the till
-- key: vendor_id
-- why: an address that cannot be read as e-mail blocks the profile, since nothing of that person may be pushed on it;
--      an unreadable phone only loses its E.164 form. Blank is no problem. A birthday without a year (0000) is none.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"given_name":"JSON","family_name":"JSON","email_address":"JSON","phone_number":"JSON",
      "birthday":"VARCHAR","reference_id":"VARCHAR","version":"VARCHAR","created_at":"VARCHAR","updated_at":"VARCHAR",
      "address":{"address_line_1":"JSON","locality":"JSON","postal_code":"JSON","country":"VARCHAR"}}') AS o,
    json_type(payload, ['$.address.country', '$.reference_id', '$.birthday', '$.address']) AS types
  FROM raw_square.customers
),

flat AS (
  SELECT
    vendor_id,
    types,
    o.given_name AS first_json,
    o.family_name AS last_json,
    o.email_address AS email_json,
    o.phone_number AS phone_json,
    o.address.address_line_1 AS street_json,
    o.address.locality AS city_json,
    o.address.postal_code AS postcode_json,
    nullif(trim(o.given_name ->> '$'), '') AS first_name,
    nullif(trim(o.family_name ->> '$'), '') AS last_name,
    nullif(trim(o.email_address ->> '$'), '') AS email,
    nullif(trim(o.phone_number ->> '$'), '') AS phone,
    nullif(trim(o.address.address_line_1 ->> '$'), '') AS street,
    nullif(trim(o.address.locality ->> '$'), '') AS city,
    nullif(trim(o.address.postal_code ->> '$'), '') AS postcode,
    nullif(upper(trim(o.address.country)), '') AS country,
    nullif(trim(o.reference_id), '') AS card,
    CASE WHEN o.birthday NOT LIKE '0000%' THEN nullif(trim(o.birthday), '') END AS birthday,
    -- One that is no number is none: without it nothing is compared, so nothing of the profile is written.
    CASE WHEN regexp_full_match(o.version, '[0-9]{1,18}') THEN o.version END AS version,
    to_moment(o.created_at) AS created_at,
    to_moment(o.updated_at) AS updated_at
  FROM read
)

SELECT
  vendor_id,
  first_name,
  last_name,
  email,
  norm_email(email) AS email_norm,
  phone,
  norm_phone(phone, country) AS phone_e164,
  street,
  city,
  postcode,
  country,
  card,
  CAST(NULL AS VARCHAR) AS loyalty_points,
  TRY_CAST(birthday AS DATE) AS birth_date,
  version,
  created_at,
  updated_at,
  '{}' AS write_context,
  wrong_kinds(types, ['VARCHAR', 'VARCHAR', 'VARCHAR', 'OBJECT'], ['country', 'card', 'birth_date', 'address']) || problems([
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    wrong_type_problem(email_json, 'email', 'VARCHAR'),
    wrong_type_problem(first_json, 'first_name', 'VARCHAR'),
    too_long_problem(first_name, 'first_name', 500),
    control_problem(first_name, 'first_name'),
    wrong_type_problem(last_json, 'last_name', 'VARCHAR'),
    too_long_problem(last_name, 'last_name', 500),
    control_problem(last_name, 'last_name'),
    wrong_type_problem(phone_json, 'phone', 'VARCHAR'),
    too_long_problem(phone, 'phone', 500),
    control_problem(phone, 'phone'),
    wrong_type_problem(street_json, 'street', 'VARCHAR'),
    too_long_problem(street, 'street', 500),
    control_problem(street, 'street'),
    wrong_type_problem(city_json, 'city', 'VARCHAR'),
    too_long_problem(city, 'city', 500),
    control_problem(city, 'city'),
    wrong_type_problem(postcode_json, 'postcode', 'VARCHAR'),
    too_long_problem(postcode, 'postcode', 500),
    control_problem(postcode, 'postcode'),
    control_problem(card, 'card'),
    date_problem(birthday IS NOT NULL AND TRY_CAST(birthday AS DATE) IS NULL, 'birth_date')
  ]) AS problems
FROM flat
