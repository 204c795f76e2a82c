-- grain: one row per customer with an e-mail address, where the shop keeps a permission: the permission to write to it
-- key: vendor_id, vendor_audience_id (always 'email': it is one field of the customer)
-- why: Vendure has no permission of its own; it is a custom field of the retailer's, read only where the options name it.
--      Never asked is null, which is unknown and not no. A yes is proven only where a field of the retailer's says
--      double_opt_in and another when; a no stands, whether its time can be read or not
WITH given AS (
  SELECT
    id,
    from_json(payload, '{"emailAddress": "VARCHAR", "updatedAt": "VARCHAR", "customFields": {"consentAt": "VARCHAR",
      "consentProof": "VARCHAR"}}') AS c,
    payload -> '$.customFields' AS held,
    json_type(payload, ['$.emailAddress', '$.customFields', '$.customFields.consent', '$.customFields.consentAt',
      '$.customFields.consentProof']) AS types
  FROM raw_vendure.customers
),
known AS (
  SELECT
    id,
    types,
    trim(c.emailAddress) AS email,
    held ->> '$.consent' AS vendor_state,
    CASE WHEN json_type(held -> '$.consent') = 'BOOLEAN' THEN held ->> '$.consent' END AS answer,
    c.customFields.consentAt AS said_at,
    to_moment(c.customFields.consentAt) AS changed_at,
    coalesce(c.customFields.consentProof, '') = 'double_opt_in' AS is_confirmed,
    to_moment(c.updatedAt) AS updated_at
  FROM given
  WHERE (json_exists(held, '$.consent') OR json_type(held) NOT IN ('OBJECT', 'NULL'))
    AND nullif(trim(c.emailAddress), '') IS NOT NULL
)
SELECT
  id AS vendor_id,
  'email' AS vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  CASE answer WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' ELSE 'unknown' END AS state,
  vendor_state,
  CASE WHEN answer IS NOT NULL THEN changed_at END AS changed_at,
  coalesce(answer = 'true' AND is_confirmed AND changed_at IS NOT NULL, false) AS has_proof,
  CASE WHEN answer = 'true' AND is_confirmed AND changed_at IS NOT NULL
    THEN 'double opt-in, kept by the retailer in a field of the customer' END AS proof,
  email,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('email', email) AS VARCHAR) AS write_context,
  wrong_kinds(types, ['VARCHAR', 'OBJECT', 'BOOLEAN', 'VARCHAR', 'VARCHAR'],
    ['email', 'state', 'state', 'changed_at', 'proof']) || problems([
    email_problem(norm_email(email) IS NULL),
    moment_problem(said_at IS NOT NULL AND changed_at IS NULL AND answer = 'true', 'changed_at')
  ]) AS problems
FROM known
