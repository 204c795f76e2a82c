-- grain: one Brevo contact
-- key: vendor_id
-- why: what a contact holds is under the names that the account's owner gave; raw_brevo.attributes says which of our fields
--      is where. What an account has no attribute for is not known. A contact of a phone number alone is shown with an
--      address at mailin-sms.com, which Brevo made up: nobody's e-mail. An SMS number has its country and no plus sign.
WITH fields AS (
  SELECT
    max(payload->>'$.name') FILTER (id = 'first_name') AS first_name,
    max(payload->>'$.name') FILTER (id = 'last_name') AS last_name,
    max(payload->>'$.name') FILTER (id = 'phone') AS phone,
    max(payload->>'$.name') FILTER (id = 'street') AS street,
    max(payload->>'$.name') FILTER (id = 'city') AS city,
    max(payload->>'$.name') FILTER (id = 'postcode') AS postcode,
    max(payload->>'$.name') FILTER (id = 'country') AS country,
    max(payload->>'$.name') FILTER (id = 'card') AS card,
    max(payload->>'$.name') FILTER (id = 'birth_date') AS birth_date,
    max(payload->>'$.name') FILTER (id = 'loyalty_points') AS loyalty_points,
    max(payload->>'$.type') FILTER (id = 'loyalty_points') AS points_type
  FROM raw_brevo.attributes
), held AS (
  SELECT
    contacts.id,
    contacts.payload->'$.email' AS email_json,
    contacts.payload->'$.attributes' AS attributes,
    contacts.payload->('$.attributes."' || fields.first_name || '"') AS first_name,
    contacts.payload->('$.attributes."' || fields.last_name || '"') AS last_name,
    contacts.payload->('$.attributes."' || fields.phone || '"') AS phone,
    contacts.payload->('$.attributes."' || fields.street || '"') AS street,
    contacts.payload->('$.attributes."' || fields.city || '"') AS city,
    contacts.payload->('$.attributes."' || fields.postcode || '"') AS postcode,
    contacts.payload->('$.attributes."' || fields.country || '"') AS country,
    contacts.payload->('$.attributes."' || fields.card || '"') AS card,
    contacts.payload->('$.attributes."' || fields.birth_date || '"') AS birth_date,
    contacts.payload->('$.attributes."' || fields.loyalty_points || '"') AS points,
    contacts.payload->>'$.createdAt' AS created_at,
    contacts.payload->>'$.modifiedAt' AS modified_at,
    fields.phone = 'SMS' AS is_sms,
    json_object('first_name', fields.first_name, 'last_name', fields.last_name, 'phone', fields.phone,
      'street', fields.street, 'city', fields.city, 'postcode', fields.postcode,
      'loyalty_points', fields.loyalty_points) AS names,
    fields.points_type
  FROM raw_brevo.contacts AS contacts
  CROSS JOIN fields
), read AS (
  SELECT
    id,
    names,
    is_sms,
    attributes,
    points_type,
    json_type(points) AS points_kind,
    nullif(trim(points->>'$'), '') AS points,
    [json_type(first_name), json_type(last_name), json_type(email_json), json_type(phone), json_type(street),
     json_type(city), json_type(postcode), json_type(country), json_type(card), json_type(birth_date)] AS types,
    nullif(trim(first_name->>'$'), '') AS first_name,
    nullif(trim(last_name->>'$'), '') AS last_name,
    CASE WHEN NOT ends_with(lower(trim(email_json->>'$')), '@mailin-sms.com') THEN nullif(trim(email_json->>'$'), '') END
      AS email,
    nullif(trim(phone->>'$'), '') AS phone,
    nullif(trim(street->>'$'), '') AS street,
    nullif(trim(city->>'$'), '') AS city,
    nullif(trim(postcode->>'$'), '') AS postcode,
    CASE upper(trim(country->>'$'))
      WHEN '' THEN NULL
      WHEN 'FRANCE' THEN 'FR'
      WHEN 'SUISSE' THEN 'CH' WHEN 'SWITZERLAND' THEN 'CH'
      WHEN 'BELGIQUE' THEN 'BE' WHEN 'BELGIUM' THEN 'BE'
      WHEN 'JAPON' THEN 'JP' WHEN 'JAPAN' THEN 'JP'
      ELSE upper(trim(country->>'$')) END AS country,
    nullif(trim(card->>'$'), '') AS card,
    nullif(trim(birth_date->>'$'), '') AS birth_date,
    to_moment(created_at) AS created_at,
    to_moment(modified_at) AS updated_at
  FROM held
), joined AS (
  SELECT
    id, names, attributes, points_type, points_kind, points, to_units(points) AS units,
    coalesce(points_kind, 'NULL') IN ('VARCHAR', 'UBIGINT', 'BIGINT', 'DOUBLE', 'NULL') AS is_number,
    types, first_name, last_name, email, phone, street, city, postcode, country, card, birth_date, created_at, updated_at,
    norm_phone(CASE WHEN is_sms AND regexp_full_match(phone, '[1-9][0-9]{7,14}') THEN '+' || phone ELSE phone END, country)
      AS phone_e164,
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
  CAST(units AS VARCHAR) AS loyalty_points,
  born_on AS birth_date,
  CAST(NULL AS VARCHAR) AS version,
  created_at,
  updated_at,
  CAST(json_object('attributes', names, 'phone', phone, 'points_type', points_type) AS VARCHAR) AS write_context,
  wrong_types(types, ['first_name', 'last_name', 'email', 'phone', 'street', 'city', 'postcode', 'country', 'card',
    'birth_date']) || problems([
    wrong_type_problem(attributes, 'attributes', 'OBJECT'),
    problem(NOT is_number, 'loyalty_points', 'wrong type', lower(points_kind)),
    count_problem(is_number AND points IS NOT NULL AND units IS NULL, 'loyalty_points'),
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    date_problem(birth_date IS NOT NULL AND born_on IS NULL, 'birth_date'),
    too_long_in(too_long, 255),
    control_in(with_control)
  ]) AS problems
FROM joined
