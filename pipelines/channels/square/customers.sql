-- grain: one customer profile of the till
-- key: vendor_id
-- why: an address that cannot be read as e-mail blocks the profile, since nothing of that person may be pushed on it;
--      an unreadable phone only loses its E.164 form. Blank is no problem. A birthday without a year (0000) is none.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"given_name":"JSON","family_name":"JSON","email_address":"JSON","phone_number":"JSON",
      "birthday":"VARCHAR","reference_id":"VARCHAR","version":"VARCHAR","created_at":"VARCHAR","updated_at":"VARCHAR",
      "address":{"address_line_1":"JSON","locality":"JSON","postal_code":"JSON","country":"VARCHAR"}}') AS o
  FROM raw_square.customers
),

flat AS (
  SELECT
    vendor_id,
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
    CASE WHEN o.birthday NOT LIKE '0000%' THEN TRY_CAST(o.birthday AS DATE) END AS birth_date,
    o.version AS version,
    TRY_CAST(o.created_at AS TIMESTAMPTZ) AS created_at,
    TRY_CAST(o.updated_at AS TIMESTAMPTZ) AS updated_at
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
  birth_date,
  version,
  created_at,
  updated_at,
  '{}' AS write_context,
  problems([
    problem(email IS NOT NULL AND norm_email(email) IS NULL, 'email', 'invalid e-mail', 'text'),
    problem(json_type(email_json) NOT IN ('VARCHAR', 'NULL'), 'email', 'wrong type', lower(json_type(email_json))),
    problem(json_type(first_json) NOT IN ('VARCHAR', 'NULL'), 'first_name', 'wrong type', lower(json_type(first_json))),
    problem(length(first_name) > 500, 'first_name', 'too long', 'text'),
    problem(regexp_matches(first_name, '\p{Cc}'), 'first_name', 'control characters', 'text'),
    problem(json_type(last_json) NOT IN ('VARCHAR', 'NULL'), 'last_name', 'wrong type', lower(json_type(last_json))),
    problem(length(last_name) > 500, 'last_name', 'too long', 'text'),
    problem(regexp_matches(last_name, '\p{Cc}'), 'last_name', 'control characters', 'text'),
    problem(json_type(phone_json) NOT IN ('VARCHAR', 'NULL'), 'phone', 'wrong type', lower(json_type(phone_json))),
    problem(length(phone) > 500, 'phone', 'too long', 'text'),
    problem(json_type(street_json) NOT IN ('VARCHAR', 'NULL'), 'street', 'wrong type', lower(json_type(street_json))),
    problem(length(street) > 500, 'street', 'too long', 'text'),
    problem(regexp_matches(street, '\p{Cc}'), 'street', 'control characters', 'text'),
    problem(json_type(city_json) NOT IN ('VARCHAR', 'NULL'), 'city', 'wrong type', lower(json_type(city_json))),
    problem(length(city) > 500, 'city', 'too long', 'text'),
    problem(regexp_matches(city, '\p{Cc}'), 'city', 'control characters', 'text'),
    problem(
      json_type(postcode_json) NOT IN ('VARCHAR', 'NULL'), 'postcode', 'wrong type', lower(json_type(postcode_json))
    ),
    problem(length(postcode) > 500, 'postcode', 'too long', 'text'),
    problem(regexp_matches(postcode, '\p{Cc}'), 'postcode', 'control characters', 'text')
  ]) AS problems
FROM flat
