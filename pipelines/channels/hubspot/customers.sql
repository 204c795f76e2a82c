-- grain: one HubSpot contact
-- key: vendor_id
-- why: contacts hold what people type: phones are free text (the raw text goes along for the writer's check), the
--      country is a name or a code, the birth date is text. An archived contact is gone.
WITH parsed AS (
  SELECT
    id,
    from_json(payload, '{"archived": "VARCHAR", "createdAt": "VARCHAR", "updatedAt": "VARCHAR", "properties": {
      "firstname": "VARCHAR", "lastname": "VARCHAR", "email": "VARCHAR", "phone": "VARCHAR", "address": "VARCHAR",
      "city": "VARCHAR", "zip": "VARCHAR", "country": "VARCHAR", "loyalty_card": "VARCHAR",
      "date_of_birth": "VARCHAR"}}') AS r,
    json_type(payload, ['$.properties.firstname', '$.properties.lastname', '$.properties.email', '$.properties.phone',
      '$.properties.address', '$.properties.city', '$.properties.zip', '$.properties.country',
      '$.properties.loyalty_card', '$.properties.date_of_birth']) AS types,
    json_type(payload, ['$.properties', '$.archived']) AS containers
  FROM raw_hubspot.contacts
), read AS (
  SELECT
    id,
    types,
    containers,
    nullif(trim(r.properties.firstname), '') AS first_name,
    nullif(trim(r.properties.lastname), '') AS last_name,
    nullif(trim(r.properties.email), '') AS email,
    nullif(trim(r.properties.phone), '') AS phone,
    nullif(trim(r.properties.address), '') AS street,
    nullif(trim(r.properties.city), '') AS city,
    nullif(trim(r.properties.zip), '') AS postcode,
    CASE upper(trim(r.properties.country))
      WHEN '' THEN NULL
      WHEN 'FRANCE' THEN 'FR'
      WHEN 'SUISSE' THEN 'CH' WHEN 'SWITZERLAND' THEN 'CH'
      WHEN 'BELGIQUE' THEN 'BE' WHEN 'BELGIUM' THEN 'BE'
      WHEN 'JAPON' THEN 'JP' WHEN 'JAPAN' THEN 'JP'
      ELSE upper(trim(r.properties.country)) END AS country,
    nullif(trim(r.properties.loyalty_card), '') AS card,
    nullif(trim(r.properties.date_of_birth), '') AS birth_date,
    to_moment(r.createdAt) AS created_at,
    to_moment(r.updatedAt) AS updated_at
  FROM parsed
  WHERE coalesce(r.archived, 'false') <> 'true'
), joined AS (
  SELECT
    id, types, containers, first_name, last_name, email, phone, street, city, postcode, country, card, birth_date, created_at,
    updated_at,
    norm_phone(phone, country) AS phone_e164,
    CAST(try_strptime(birth_key(birth_date, FALSE), '%Y%m%d') AS DATE) AS born_on,
    too_long_text(first_name, last_name, street, city, postcode, phone, 255) AS too_long,
    control_text(first_name, last_name, street, city, postcode, phone, card)
      AS with_control
  FROM read
)
SELECT
  id AS vendor_id,
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
  CAST(NULL AS VARCHAR) AS loyalty_points,
  born_on AS birth_date,
  CAST(NULL AS VARCHAR) AS version,
  created_at,
  updated_at,
  CASE WHEN phone IS DISTINCT FROM phone_e164 THEN CAST(json_object('phone', phone) AS VARCHAR) END AS write_context,
  wrong_types(types, ['first_name', 'last_name', 'email', 'phone', 'street', 'city', 'postcode', 'country', 'card',
    'birth_date']) || wrong_kinds(containers, ['OBJECT', 'BOOLEAN'], ['properties', 'archived']) || problems([
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    date_problem(birth_date IS NOT NULL AND born_on IS NULL, 'birth_date'),
    too_long_in(too_long, 255),
    control_in(with_control)
  ]) AS problems
FROM joined
