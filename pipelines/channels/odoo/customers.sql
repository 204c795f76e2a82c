-- grain: one person or firm that the shop deals with, by its partner record
-- key: vendor_id
-- why: Odoo keeps one name. "Martin, Claire" is split at the comma, else the first word is taken for the first name:
--      good for recognising a person, no truth about the name (policy.toml does not correct Odoo's names by it). A
--      firm's name is a last name. The card is the barcode that the till scans. Points are the whole ones of the oldest
--      card of the oldest loyalty program, and it is that card that the writer is told. An archived partner is gone.
WITH read AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"name":"VARCHAR","email":"VARCHAR","phone":"VARCHAR","street":"VARCHAR","city":"VARCHAR",
      "zip":"VARCHAR","country_code":"VARCHAR","barcode":"VARCHAR","is_company":"VARCHAR","active":"VARCHAR",
      "create_date":"VARCHAR","write_date":"VARCHAR"}') AS o,
    wrong_types(
      json_type(payload, ['$.name', '$.email', '$.phone', '$.street', '$.city', '$.zip', '$.country_code', '$.barcode']),
      ['name', 'email', 'phone', 'street', 'city', 'postcode', 'country', 'card']
    ) || wrong_kinds(json_type(payload, ['$.is_company', '$.active']), ['BOOLEAN', 'BOOLEAN'], ['name', 'active'])
      AS misshapen
  FROM raw_odoo.partners
),

cards AS (
  SELECT
    id AS card_id,
    as_number_key(payload -> '$.partner_id') AS partner_id,
    payload -> '$.points' AS points,
    wrong_numbers(json_type(payload, ['$.points', '$.program_id']), ['loyalty_points', 'loyalty_program'])
    || wrong_kinds(json_type(payload, ['$.active']), ['BOOLEAN'], ['loyalty_card']) AS misshapen
  FROM raw_odoo.loyalty_cards
  WHERE coalesce(payload ->> '$.active', 'true') <> 'false' AND as_number_key(payload -> '$.partner_id') IS NOT NULL
  QUALIFY row_number() OVER (
    PARTITION BY as_number_key(payload -> '$.partner_id')
    ORDER BY TRY_CAST(payload ->> '$.program_id' AS BIGINT) NULLS LAST, TRY_CAST(id AS BIGINT), id) = 1
),

flat AS (
  SELECT
    vendor_id,
    misshapen,
    nullif(trim(regexp_replace(o.name, '\s+', ' ', 'g')), '') AS name,
    coalesce(o.is_company = 'true', FALSE) AS is_company,
    nullif(trim(o.email), '') AS email,
    nullif(trim(o.phone), '') AS phone,
    nullif(trim(o.street), '') AS street,
    nullif(trim(o.city), '') AS city,
    nullif(trim(o.zip), '') AS postcode,
    nullif(upper(trim(o.country_code)), '') AS country,
    nullif(trim(o.barcode), '') AS card,
    to_moment(o.create_date || 'Z') AS created_at,
    to_moment(o.write_date || 'Z') AS updated_at
  FROM read
  WHERE o.active IS DISTINCT FROM 'false'
),

named AS (
  SELECT
    vendor_id, misshapen, name, email, phone, street, city, postcode, country, card, created_at, updated_at,
    CASE
      WHEN is_company THEN NULL
      WHEN contains(name, ', ') THEN nullif(trim(split_part(name, ', ', 2)), '')
      WHEN contains(name, ' ') THEN split_part(name, ' ', 1)
    END AS first_name,
    CASE
      WHEN is_company THEN name
      WHEN contains(name, ', ') THEN nullif(trim(split_part(name, ', ', 1)), '')
      WHEN contains(name, ' ') THEN substr(name, strpos(name, ' ') + 1)
      ELSE name
    END AS last_name
  FROM flat
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
  CAST(TRY_CAST(floor(TRY_CAST(c.points ->> '$' AS DECIMAL(18, 3))) AS BIGINT) AS VARCHAR) AS loyalty_points,
  CAST(NULL AS DATE) AS birth_date,
  CAST(NULL AS VARCHAR) AS version,
  created_at,
  updated_at,
  CAST(json_merge_patch(
    CASE WHEN phone IS DISTINCT FROM norm_phone(phone, country) THEN json_object('phone', phone) ELSE '{}' END,
    CASE WHEN c.card_id IS NOT NULL THEN json_object('card_id', c.card_id) ELSE '{}' END
  ) AS VARCHAR) AS write_context,
  n.misshapen || coalesce(c.misshapen, []) || problems([
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    too_long_problem(name, 'name', 500),
    control_problem(name, 'name'),
    too_long_problem(phone, 'phone', 255),
    control_problem(phone, 'phone'),
    too_long_problem(street, 'street', 500),
    control_problem(street, 'street'),
    too_long_problem(city, 'city', 255),
    control_problem(city, 'city'),
    too_long_problem(postcode, 'postcode', 255),
    control_problem(postcode, 'postcode'),
    control_problem(card, 'card')
  ]) AS problems
FROM named AS n
LEFT JOIN cards AS c ON c.partner_id = n.vendor_id
