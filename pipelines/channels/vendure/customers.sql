-- grain: one row per customer
-- key: vendor_id (Customer id)
-- why: phones are free text (the raw text goes along for the writer's check), names may be blank; the address is the one
--      marked for shipping, else for billing, else the first. Card, birth date and points are the
--      retailer's own fields
WITH given AS (
  SELECT
    id,
    from_json(payload, '{"firstName": "VARCHAR", "lastName": "VARCHAR", "emailAddress": "VARCHAR", "phoneNumber": "VARCHAR",
      "createdAt": "VARCHAR", "updatedAt": "VARCHAR", "customFields": {"card": "VARCHAR", "birthDate": "VARCHAR",
      "points": "VARCHAR"}}') AS c,
    payload -> '$.addresses' AS addresses,
    json_type(payload, ['$.firstName', '$.lastName', '$.emailAddress', '$.phoneNumber', '$.customFields.card',
      '$.customFields.birthDate']) AS types,
    json_type(payload, ['$.addresses', '$.customFields']) AS containers,
    wrong_elements(json_type(payload, '$.addresses[*]'), 'OBJECT', 'address')
    || wrong_elements(list_filter(json_type(payload, '$.addresses[*].defaultShippingAddress')
      || json_type(payload, '$.addresses[*].defaultBillingAddress'), lambda t: t <> 'NULL'), 'BOOLEAN', 'address') AS marks
  FROM raw_vendure.customers
),
listed AS (
  SELECT
    id,
    unnest(CASE WHEN json_type(addresses) = 'ARRAY' THEN from_json(addresses, '["JSON"]') ELSE [] END) AS address,
    generate_subscripts(CASE WHEN json_type(addresses) = 'ARRAY' THEN from_json(addresses, '["JSON"]') ELSE [] END, 1) AS place
  FROM given
),
homes AS (
  SELECT
    id,
    arg_min(address, place + CASE WHEN address ->> '$.defaultShippingAddress' = 'true' THEN 0
      WHEN address ->> '$.defaultBillingAddress' = 'true' THEN 100000 ELSE 200000 END) AS home
  FROM listed
  GROUP BY id
),
trimmed AS (
  SELECT
    g.id,
    nullif(trim(g.c.firstName), '') AS first_name,
    nullif(trim(g.c.lastName), '') AS last_name,
    nullif(trim(g.c.emailAddress), '') AS email,
    nullif(trim(g.c.phoneNumber), '') AS phone,
    nullif(trim(h.home ->> '$.streetLine1'), '') AS street,
    nullif(trim(h.home ->> '$.city'), '') AS city,
    nullif(trim(h.home ->> '$.postalCode'), '') AS postcode,
    nullif(upper(trim(h.home ->> '$.country.code')), '') AS country,
    as_key(h.home -> '$.id') AS address_id,
    nullif(trim(g.c.customFields.card), '') AS card,
    nullif(trim(g.c.customFields.points), '') AS points,
    nullif(trim(g.c.customFields.birthDate), '') AS birth_date,
    CAST(try_strptime(birth_key(nullif(trim(g.c.customFields.birthDate), ''), FALSE), '%Y%m%d') AS DATE) AS born_on,
    wrong_types(g.types, ['first_name', 'last_name', 'email', 'phone', 'card', 'birth_date'])
    || wrong_kinds(g.containers, ['ARRAY', 'OBJECT'], ['address', 'custom_fields']) || coalesce(g.marks, [])
    || coalesce(wrong_kinds(json_type(h.home, ['$', '$.streetLine1', '$.city', '$.postalCode', '$.country', '$.country.code']),
      ['OBJECT', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'OBJECT', 'VARCHAR'],
      ['address', 'street', 'city', 'postcode', 'country', 'country']), [])
    || problems([CASE WHEN json_type(h.home) = 'OBJECT' THEN key_problem(h.home -> '$.id', 'address') END]) AS misshapen,
    g.c.createdAt AS created_at,
    g.c.updatedAt AS updated_at
  FROM given AS g
  LEFT JOIN homes AS h ON h.id = g.id
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
  CAST(to_units(points) AS VARCHAR) AS loyalty_points,
  born_on AS birth_date,
  CAST(NULL AS VARCHAR) AS version,
  to_moment(created_at) AS created_at,
  to_moment(updated_at) AS updated_at,
  CAST(json_object('address_id', address_id, 'phone', phone) AS VARCHAR) AS write_context,
  misshapen || problems([
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
    control_problem(card, 'card'),
    count_problem(points IS NOT NULL AND to_units(points) IS NULL, 'loyalty_points'),
    date_problem(birth_date IS NOT NULL AND born_on IS NULL, 'birth_date')
  ]) AS problems
FROM trimmed
