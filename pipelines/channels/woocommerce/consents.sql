-- grain: one row per account with an e-mail address, where the estate says under which key a plugin keeps permissions
-- key: vendor_id, vendor_audience_id (always 'email': a plugin keeps one permission per account)
-- why: WooCommerce itself has none, so without the option consent_meta_key there is no row. Plugins keep a word and no
--      time: nothing of it is proof, and nothing said is unknown, not no. Nor is the word that plugins keep for whoever
--      left a box unticked: a withdrawal is what the option consent_no_words names
WITH options AS (
  SELECT
    max(CASE id WHEN 'option:consent_meta_key' THEN payload ->> '$.value' END) AS consent_key,
    string_split(max(CASE id WHEN 'option:consent_no_words' THEN payload ->> '$.value' END), ',') AS no_words
  FROM raw_woocommerce.settings
),

given AS (
  SELECT
    c.id,
    c.payload -> '$.email' AS email_json,
    list_filter(from_json(c.payload -> '$.meta_data', '[{"key": "VARCHAR", "value": "JSON"}]'),
      lambda m: m.key = o.consent_key)[1].value AS said_json,
    wrong_kinds(json_type(c.payload, ['$.meta_data']), ['ARRAY'], ['state'])
      || wrong_elements(json_type(c.payload, '$.meta_data[*]'), 'OBJECT', 'state')
      || wrong_elements(json_type(c.payload, '$.meta_data[*].key'), 'VARCHAR', 'state') AS misshapen,
    o.no_words,
    to_moment((c.payload ->> '$.date_modified_gmt') || 'Z') AS updated_at
  FROM raw_woocommerce.customers AS c
  CROSS JOIN options AS o
  WHERE o.consent_key IS NOT NULL
),

flat AS (
  SELECT
    id,
    email_json,
    nullif(trim(email_json ->> '$'), '') AS email,
    said_json,
    lower(trim(said_json ->> '$')) AS said,
    said_json ->> '$' AS vendor_state,
    coalesce(list_contains(no_words, lower(trim(said_json ->> '$'))), FALSE) AS is_withdrawn,
    misshapen,
    updated_at
  FROM given
)

SELECT
  id AS vendor_id,
  'email' AS vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  CASE
    WHEN is_withdrawn THEN 'no'
    WHEN said IN ('yes', '1', 'true', 'on', 'subscribed') THEN 'yes'
    ELSE 'unknown'
  END AS state,
  vendor_state,
  CAST(NULL AS TIMESTAMPTZ) AS changed_at,
  FALSE AS has_proof,
  CAST(NULL AS VARCHAR) AS proof,
  email,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('email', email, 'vendor_state', vendor_state) AS VARCHAR) AS write_context,
  misshapen || problems([
    wrong_type_problem(email_json, 'email', 'VARCHAR'),
    email_problem(norm_email(email) IS NULL),
    problem(json_type(said_json) IN ('OBJECT', 'ARRAY'), 'state', 'wrong type', lower(json_type(said_json))),
    problem(NOT is_withdrawn AND coalesce(said, '') NOT IN
      ('', 'yes', '1', 'true', 'on', 'subscribed', 'no', '0', 'false', 'off', 'unsubscribed'),
      'state', 'not a known state', 'unknown value')
  ]) AS problems
FROM flat
WHERE email IS NOT NULL OR json_type(email_json) NOT IN ('VARCHAR', 'NULL')
