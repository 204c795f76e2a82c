-- grain: one row per customer with an e-mail address: the permission to write to it
-- key: vendor_id, vendor_audience_id (always 'email': Shopify has one permission per address)
-- why: only a double opt-in with its time counts as proof; never asked, invalid and erased are all unknown, not no;
--      a no stands, whether its time can be read or not
WITH given AS (
  SELECT
    id,
    from_json(payload, '{"updatedAt": "VARCHAR", "defaultEmailAddress": {"emailAddress": "VARCHAR",
      "marketingState": "VARCHAR", "marketingOptInLevel": "VARCHAR", "marketingUpdatedAt": "VARCHAR"}}') AS c,
    payload -> '$.defaultEmailAddress' AS address
  FROM raw_shopify.customers
),
known AS (
  SELECT
    id,
    address,
    trim(c.defaultEmailAddress.emailAddress) AS email,
    c.defaultEmailAddress.marketingState AS vendor_state,
    c.defaultEmailAddress.marketingOptInLevel AS opt_in_level,
    c.defaultEmailAddress.marketingUpdatedAt AS said_at,
    to_moment(c.defaultEmailAddress.marketingUpdatedAt) AS changed_at,
    to_moment(c.updatedAt) AS updated_at
  FROM given
  WHERE nullif(trim(c.defaultEmailAddress.emailAddress), '') IS NOT NULL OR json_type(address) NOT IN ('OBJECT', 'NULL')
)
SELECT
  id AS vendor_id,
  'email' AS vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  CASE vendor_state WHEN 'SUBSCRIBED' THEN 'yes' WHEN 'UNSUBSCRIBED' THEN 'no' WHEN 'PENDING' THEN 'pending' ELSE 'unknown' END AS state,
  vendor_state,
  changed_at,
  coalesce(vendor_state = 'SUBSCRIBED' AND opt_in_level = 'CONFIRMED_OPT_IN' AND changed_at IS NOT NULL, false) AS has_proof,
  CASE WHEN vendor_state = 'SUBSCRIBED' AND opt_in_level = 'CONFIRMED_OPT_IN' AND changed_at IS NOT NULL
    THEN 'double opt-in at ' || strftime(changed_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')
  END AS proof,
  email,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object() AS VARCHAR) AS write_context,
  problems([
    wrong_type_problem(address, 'email', 'OBJECT'),
    email_problem(norm_email(email) IS NULL),
    problem(coalesce(vendor_state, '') NOT IN
      ('SUBSCRIBED', 'UNSUBSCRIBED', 'PENDING', 'NOT_SUBSCRIBED', 'INVALID', 'REDACTED'),
      'state', 'not a known state', 'unknown value'),
    moment_problem(said_at IS NOT NULL AND changed_at IS NULL AND vendor_state <> 'UNSUBSCRIBED', 'changed_at')
  ]) AS problems
FROM known
