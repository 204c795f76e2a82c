-- grain: the e-mail permission of one profile with a readable address
-- key: vendor_id, vendor_audience_id
-- why: Square keeps one read-only switch and no time, so a yes here is never proof. Where the switch is absent nobody
--      was asked: unknown. A profile without a readable e-mail has no permission to compare (see customers).
WITH read AS (
  SELECT
    id AS vendor_id,
    nullif(trim(payload ->> '$.email_address'), '') AS email,
    payload -> '$.preferences' AS preferences,
    payload -> '$.preferences.email_unsubscribed' AS unsubscribed,
    payload ->> '$.version' AS version,
    payload ->> '$.updated_at' AS updated_at
  FROM raw_square.customers
)

SELECT
  vendor_id,
  'email' AS vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  CASE unsubscribed ->> '$' WHEN 'true' THEN 'no' WHEN 'false' THEN 'yes' ELSE 'unknown' END AS state,
  'email_unsubscribed=' || coalesce(unsubscribed ->> '$', 'absent') AS vendor_state,
  CAST(NULL AS TIMESTAMPTZ) AS changed_at,
  FALSE AS has_proof,
  CAST(NULL AS VARCHAR) AS proof,
  norm_email(email) AS email,
  version,
  to_moment(updated_at) AS updated_at,
  CAST(json_object('email', norm_email(email)) AS VARCHAR) AS write_context,
  problems([
    wrong_type_problem(preferences, 'state', 'OBJECT'),
    wrong_type_problem(unsubscribed, 'state', 'BOOLEAN')
  ]) AS problems
FROM read
WHERE norm_email(email) IS NOT NULL
