-- grain: one HubSpot contact with an address × one active e-mail subscription type
-- key: vendor_id, vendor_audience_id
-- why: a permission is yes only where the type says "not opted out" AND the legal basis is given consent; an opt-out,
--      of the type or of all e-mail, is no; anything else is unknown, which is not yes. HubSpot's objects carry no
--      time of consent and lastmodifieddate is none: the time is what the retailer's own workflow stamps into
--      email_consent_at at every change of permission, else unknown. It proves a double opt-in only where that
--      workflow also says so (email_consent_proof). An
--      opt-out that cannot be read is neither a yes nor a no, unless the other one is a no; a no stands whatever is
--      written beside it, its time too.
WITH definitions AS (
  SELECT id AS subscription_id
  FROM raw_hubspot.definitions
  WHERE coalesce(payload->>'$.isActive', 'true') <> 'false'
    AND coalesce(lower(as_key(payload->'$.communicationMethod')), 'email') = 'email'
), parsed AS (
  SELECT
    id,
    payload->'$.properties' AS held,
    json_type(payload, ['$.properties', '$.properties.hs_legal_basis', '$.properties.email_consent_proof']) AS types,
    from_json(payload, '{"archived": "VARCHAR", "updatedAt": "VARCHAR", "properties": {"email": "VARCHAR",
      "hs_email_optout": "VARCHAR", "hs_legal_basis": "VARCHAR", "email_consent_at": "VARCHAR",
      "email_consent_proof": "VARCHAR"}}') AS r
  FROM raw_hubspot.contacts
), contacts AS (
  SELECT
    id,
    held,
    types,
    nullif(trim(r.properties.email), '') AS email,
    r.properties.hs_email_optout AS is_out_of_all,
    r.properties.hs_legal_basis AS legal_basis,
    r.properties.email_consent_proof AS proof,
    CASE WHEN regexp_full_match(r.properties.email_consent_at, '[0-9]{12,14}')
         THEN to_moment(make_timestamptz(TRY_CAST(r.properties.email_consent_at AS BIGINT) * 1000))
         ELSE to_moment(r.properties.email_consent_at) END AS consent_at,
    consent_at IS NULL AND trim(r.properties.email_consent_at) <> '' AS is_misdated,
    to_moment(r.updatedAt) AS updated_at
  FROM parsed
  WHERE coalesce(r.archived, 'false') <> 'true' AND (trim(r.properties.email) <> '' OR json_type(held) NOT IN ('OBJECT', 'NULL'))
), permissions AS (
  SELECT
    contacts.id,
    definitions.subscription_id,
    contacts.email,
    contacts.proof,
    contacts.consent_at,
    contacts.updated_at,
    contacts.held->>('$.hs_email_optout_' || definitions.subscription_id) AS is_out,
    contacts.is_out_of_all,
    contacts.legal_basis,
    contacts.is_misdated,
    contacts.types
  FROM contacts
  CROSS JOIN definitions
), judged AS (
  SELECT
    id, subscription_id, email, proof, consent_at, updated_at, legal_basis, is_misdated, types,
    coalesce(is_out_of_all, '') NOT IN ('true', 'false', '') OR coalesce(is_out, '') NOT IN ('true', 'false', '') AS is_unreadable,
    CASE WHEN is_out_of_all = 'true' OR is_out = 'true' THEN 'no'
         WHEN is_out = 'false' AND legal_basis = 'Freely given consent from contact' THEN 'yes'
         ELSE 'unknown' END AS state,
    CASE WHEN is_out_of_all = 'true' THEN 'opted out of all e-mail'
         WHEN is_out = 'true' THEN 'opted out'
         WHEN is_out = 'false' THEN 'not opted out: ' || coalesce(legal_basis, 'no legal basis')
         ELSE 'no status' END AS vendor_state
  FROM permissions
)
SELECT
  id AS vendor_id,
  subscription_id AS vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  state,
  vendor_state,
  CASE WHEN state <> 'unknown' THEN consent_at END AS changed_at,
  state = 'yes' AND consent_at IS NOT NULL AND coalesce(proof, '') = 'double_opt_in' AS has_proof,
  CASE WHEN state = 'yes' AND consent_at IS NOT NULL AND proof = 'double_opt_in'
       THEN 'double opt-in, kept by the retailer in email_consent_proof' END AS proof,
  email,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('email', email) AS VARCHAR) AS write_context,
  wrong_kinds(types, ['OBJECT', 'VARCHAR', 'VARCHAR'], ['properties', 'legal_basis', 'proof']) || problems([
    email_problem(norm_email(email) IS NULL),
    problem(is_unreadable AND state <> 'no', 'state', 'not true or false', 'unknown value'),
    moment_problem(is_misdated AND state <> 'no', 'changed_at')
  ]) AS problems
FROM judged
