-- grain: one row per customer's account; guests of the checkout have none
-- key: vendor_id (customer id)
-- why: the name is the account's, address and phone are the billing ones. Blank text is NULL, so that it never wins over
--      a known value. Card and birth date are kept by plugins, under the keys that the estate's options name
WITH options AS (
  SELECT
    max(CASE id WHEN 'option:card_meta_key' THEN payload ->> '$.value' END) AS card_key,
    max(CASE id WHEN 'option:birth_date_meta_key' THEN payload ->> '$.value' END) AS birth_key
  FROM raw_woocommerce.settings
),

given AS (
  SELECT
    c.id,
    c.payload AS c,
    list_filter(from_json(c.payload -> '$.meta_data', '[{"key": "VARCHAR", "value": "JSON"}]'),
      lambda m: m.key = o.card_key)[1].value AS card_json,
    list_filter(from_json(c.payload -> '$.meta_data', '[{"key": "VARCHAR", "value": "JSON"}]'),
      lambda m: m.key = o.birth_key)[1].value AS birth_json,
    wrong_types(
      json_type(c.payload, ['$.first_name', '$.last_name', '$.email', '$.billing.phone', '$.billing.address_1',
        '$.billing.city', '$.billing.postcode', '$.billing.country']),
      ['first_name', 'last_name', 'email', 'phone', 'street', 'city', 'postcode', 'country']
    ) || wrong_kinds(json_type(c.payload, ['$.billing', '$.meta_data']), ['OBJECT', 'ARRAY'], ['address', 'meta_data'])
      || wrong_elements(json_type(c.payload, '$.meta_data[*]'), 'OBJECT', 'meta_data')
      || wrong_elements(json_type(c.payload, '$.meta_data[*].key'), 'VARCHAR', 'meta_data') AS misshapen
  FROM raw_woocommerce.customers AS c
  CROSS JOIN options AS o
),

flat AS (
  SELECT
    id,
    misshapen,
    nullif(trim(c ->> '$.first_name'), '') AS first_name,
    nullif(trim(c ->> '$.last_name'), '') AS last_name,
    nullif(trim(c ->> '$.email'), '') AS email,
    nullif(trim(c ->> '$.billing.phone'), '') AS phone,
    nullif(trim(c ->> '$.billing.address_1'), '') AS street,
    nullif(trim(c ->> '$.billing.city'), '') AS city,
    nullif(trim(c ->> '$.billing.postcode'), '') AS postcode,
    nullif(upper(trim(c ->> '$.billing.country')), '') AS country,
    card_json,
    birth_json,
    nullif(trim(card_json ->> '$'), '') AS card,
    nullif(trim(birth_json ->> '$'), '') AS birth_date,
    to_moment((c ->> '$.date_created_gmt') || 'Z') AS created_at,
    to_moment((c ->> '$.date_modified_gmt') || 'Z') AS updated_at
  FROM given
)

SELECT
  id AS vendor_id,
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
  TRY_CAST(birth_date AS DATE) AS birth_date,
  CAST(NULL AS VARCHAR) AS version,
  created_at,
  updated_at,
  '{}' AS write_context,
  misshapen || problems([
    wrong_type_problem(card_json, 'card', 'VARCHAR'),
    wrong_type_problem(birth_json, 'birth_date', 'VARCHAR'),
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    too_long_problem(first_name, 'first_name', 255),
    control_problem(first_name, 'first_name'),
    too_long_problem(last_name, 'last_name', 255),
    control_problem(last_name, 'last_name'),
    too_long_problem(phone, 'phone', 255),
    control_problem(phone, 'phone'),
    too_long_problem(street, 'street', 255),
    control_problem(street, 'street'),
    too_long_problem(city, 'city', 255),
    control_problem(city, 'city'),
    too_long_problem(postcode, 'postcode', 32),
    control_problem(postcode, 'postcode'),
    too_long_problem(card, 'card', 255),
    control_problem(card, 'card'),
    date_problem(birth_date IS NOT NULL AND TRY_CAST(birth_date AS DATE) IS NULL, 'birth_date')
  ]) AS problems
FROM flat
