-- grain: one Mailchimp subscriber, by the hash of the address
-- key: vendor_id
-- why: the same address may be a member of several audiences; the record of the mapped audience counts. An address
--      merge field is an object, or "" where there is none; the writer needs it whole, since Mailchimp replaces it whole.
WITH parsed AS (
  SELECT
    from_json(payload, '{"id": "VARCHAR", "email_address": "VARCHAR", "status": "VARCHAR", "list_id": "VARCHAR",
      "timestamp_signup": "VARCHAR", "timestamp_opt": "VARCHAR", "last_changed": "VARCHAR", "merge_fields": {
      "FNAME": "VARCHAR", "LNAME": "VARCHAR", "PHONE": "VARCHAR", "CARD": "VARCHAR", "BIRTHDATE": "VARCHAR"}}') AS r,
    payload->'$.merge_fields.ADDRESS' AS address,
    json_type(payload, ['$.merge_fields.FNAME', '$.merge_fields.LNAME', '$.email_address', '$.merge_fields.PHONE',
      '$.merge_fields.ADDRESS.addr1', '$.merge_fields.ADDRESS.city', '$.merge_fields.ADDRESS.zip',
      '$.merge_fields.ADDRESS.country', '$.merge_fields.CARD', '$.merge_fields.BIRTHDATE']) AS types,
    payload->'$.merge_fields' AS merge_fields
  FROM raw_mailchimp.members
), read AS (
  SELECT
    r.id AS member_id,
    r.list_id AS list_id,
    types,
    problems([
      wrong_type_problem(merge_fields, 'merge_fields', 'OBJECT'),
      CASE WHEN address->>'$' <> '' THEN wrong_type_problem(address, 'address', 'OBJECT') END
    ]) AS misshapen,
    nullif(trim(r.merge_fields.FNAME), '') AS first_name,
    nullif(trim(r.merge_fields.LNAME), '') AS last_name,
    nullif(trim(r.email_address), '') AS email,
    nullif(trim(r.merge_fields.PHONE), '') AS phone,
    nullif(trim(address->>'$.addr1'), '') AS street,
    nullif(trim(address->>'$.city'), '') AS city,
    nullif(trim(address->>'$.zip'), '') AS postcode,
    nullif(upper(trim(address->>'$.country')), '') AS country,
    CASE WHEN json_type(address) = 'OBJECT' THEN address END AS address,
    nullif(trim(r.merge_fields.CARD), '') AS card,
    nullif(trim(r.merge_fields.BIRTHDATE), '') AS birth_date,
    to_moment(coalesce(nullif(r.timestamp_signup, ''), nullif(r.timestamp_opt, ''))) AS created_at,
    to_moment(r.last_changed) AS updated_at
  FROM parsed
  WHERE coalesce(r.status, '') <> 'archived'
), chosen AS (
  SELECT
    read.member_id, read.list_id, read.types, read.misshapen, read.first_name, read.last_name, read.email, read.phone, read.street,
    read.city, read.postcode, read.country, read.address, read.card, read.birth_date, read.created_at, read.updated_at,
    norm_phone(read.phone, read.country) AS phone_e164,
    CAST(try_strptime(birth_key(read.birth_date, FALSE), '%Y%m%d') AS DATE) AS born_on,
    too_long_text(read.first_name, read.last_name, read.street, read.city, read.postcode, read.phone, 255) AS too_long,
    control_text(read.first_name, read.last_name, read.street, read.city, read.postcode, read.phone, read.card)
      AS with_control
  FROM read
  LEFT JOIN estate.audiences
    ON estate.audiences.system = 'mailchimp' AND estate.audiences.vendor_audience_id = read.list_id
  QUALIFY row_number() OVER (
    PARTITION BY read.member_id ORDER BY estate.audiences.vendor_audience_id IS NULL, read.list_id) = 1
)
SELECT
  member_id AS vendor_id,
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
  CAST(json_object('list_id', list_id, 'email', email, 'phone', phone, 'address', address) AS VARCHAR) AS write_context,
  wrong_types(types, ['first_name', 'last_name', 'email', 'phone', 'street', 'city', 'postcode', 'country', 'card',
    'birth_date']) || misshapen || problems([
    email_problem(norm_email(email) IS NULL),
    date_problem(birth_date IS NOT NULL AND born_on IS NULL, 'birth_date'),
    too_long_in(too_long, 255),
    control_in(with_control)
  ]) AS problems
FROM chosen
