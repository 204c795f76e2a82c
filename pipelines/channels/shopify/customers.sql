-- grain: one row per customer
-- key: vendor_id (Customer gid)
-- why: blank text is NULL, so that it never wins over a known value; the address is the default one. A phone that
--      cannot be read has no E.164 form and is no reason to keep the person out
WITH given AS (
  SELECT
    id,
    from_json(payload, '{"firstName": "VARCHAR", "lastName": "VARCHAR", "createdAt": "VARCHAR", "updatedAt": "VARCHAR",
      "defaultEmailAddress": {"emailAddress": "VARCHAR"}, "defaultPhoneNumber": {"phoneNumber": "VARCHAR"},
      "defaultAddress": {"id": "VARCHAR", "address1": "VARCHAR", "city": "VARCHAR", "zip": "VARCHAR",
      "countryCodeV2": "VARCHAR"}, "card": {"value": "VARCHAR"}, "birthDate": {"value": "VARCHAR"}}') AS c,
    json_type(payload, ['$.firstName', '$.lastName', '$.defaultEmailAddress.emailAddress',
      '$.defaultPhoneNumber.phoneNumber', '$.defaultAddress.address1', '$.defaultAddress.city', '$.defaultAddress.zip',
      '$.defaultAddress.countryCodeV2', '$.card.value', '$.birthDate.value']) AS types,
    json_type(payload, ['$.defaultEmailAddress', '$.defaultPhoneNumber', '$.defaultAddress', '$.card', '$.birthDate'])
      AS containers
  FROM raw_shopify.customers
),
trimmed AS (
  SELECT
    id,
    nullif(trim(c.firstName), '') AS first_name,
    nullif(trim(c.lastName), '') AS last_name,
    nullif(trim(c.defaultEmailAddress.emailAddress), '') AS email,
    nullif(trim(c.defaultPhoneNumber.phoneNumber), '') AS phone,
    nullif(trim(c.defaultAddress.address1), '') AS street,
    nullif(trim(c.defaultAddress.city), '') AS city,
    nullif(trim(c.defaultAddress.zip), '') AS postcode,
    nullif(trim(c.defaultAddress.countryCodeV2), '') AS country,
    nullif(trim(c.card.value), '') AS card,
    nullif(trim(c.birthDate.value), '') AS birth_date,
    c.defaultAddress.id AS address_id,
    types,
    containers,
    c.createdAt AS created_at,
    c.updatedAt AS updated_at
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
  to_moment(created_at) AS created_at,
  to_moment(updated_at) AS updated_at,
  CAST(json_object('address_id', address_id) AS VARCHAR) AS write_context,
  wrong_types(types, ['first_name', 'last_name', 'email', 'phone', 'street', 'city', 'postcode', 'country', 'card',
    'birth_date']) || wrong_kinds(containers, ['OBJECT', 'OBJECT', 'OBJECT', 'OBJECT', 'OBJECT'],
    ['email', 'phone', 'address', 'card', 'birth_date']) || problems([
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    too_long_problem(first_name, 'first_name', 255),
    control_problem(first_name, 'first_name'),
    too_long_problem(last_name, 'last_name', 255),
    control_problem(last_name, 'last_name'),
    control_problem(phone, 'phone'),
    too_long_problem(street, 'street', 255),
    control_problem(street, 'street'),
    too_long_problem(city, 'city', 255),
    control_problem(city, 'city'),
    too_long_problem(postcode, 'postcode', 32),
    control_problem(postcode, 'postcode'),
    control_problem(card, 'card'),
    date_problem(birth_date IS NOT NULL AND TRY_CAST(birth_date AS DATE) IS NULL, 'birth_date')
  ]) AS problems
FROM trimmed
