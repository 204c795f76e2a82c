-- grain: one subscription of a mailing contact to a list; and for each address that Odoo knows, whether it may be mailed
-- key: vendor_id, vendor_audience_id (the list's id, or "blacklist")
-- why: a subscription says yes until it is opted out of; the blacklist forbids every list at once, so it makes a no of
--      each. Beside, every partner's and contact's address has a row in the audience "blacklist": yes only says that
--      nothing forbids it, so that a no told elsewhere can be laid on it. Odoo keeps when somebody opted out, never when or
--      how somebody opted in: a yes has no time and no proof. Nothing is sent to an archived list. What cannot be told to be of a contact, a list or an
--      address is a problem, never left out.
WITH forbidden AS (
  SELECT
    norm_email(payload ->> '$.email') AS email_norm,
    max(to_moment((payload ->> '$.write_date') || 'Z')) AS since
  FROM raw_odoo.blacklist
  WHERE coalesce(payload ->> '$.active', 'true') <> 'false'
  GROUP BY norm_email(payload ->> '$.email')
),

unreadable AS (
  SELECT count(*) > 0 AS is_there
  FROM raw_odoo.blacklist
  WHERE coalesce(payload ->> '$.active', 'true') <> 'false' AND norm_email(payload ->> '$.email') IS NULL
),

contacts AS (
  SELECT
    id AS contact_id,
    payload -> '$.email' AS email_json,
    nullif(trim(payload ->> '$.email'), '') AS email,
    to_moment((payload ->> '$.write_date') || 'Z') AS updated_at
  FROM raw_odoo.contacts
),

lists AS (
  SELECT id AS list_id, payload ->> '$.active' = 'false' AS is_archived
  FROM raw_odoo.lists
),

partners AS (
  SELECT
    id AS partner_id,
    payload -> '$.email' AS email_json,
    nullif(trim(payload ->> '$.email'), '') AS email,
    to_moment((payload ->> '$.write_date') || 'Z') AS updated_at
  FROM raw_odoo.partners
  WHERE coalesce(payload ->> '$.active', 'true') <> 'false'
),

subscriptions AS (
  SELECT
    s.id AS subscription_id,
    s.payload -> '$.contact_id' AS contact_json,
    s.payload -> '$.list_id' AS list_json,
    s.payload -> '$.opt_out' AS opt_out_json,
    s.payload ->> '$.opt_out_datetime' AS opted_out_at,
    wrong_kinds(json_type(s.payload, ['$.opt_out', '$.opt_out_datetime']), ['BOOLEAN', 'VARCHAR'],
      ['state', 'changed_at']) AS misshapen,
    to_moment((s.payload ->> '$.write_date') || 'Z') AS updated_at
  FROM raw_odoo.subscriptions AS s
),

stated AS (
  SELECT
    'contact:' || as_number_key(s.contact_json) AS vendor_id,
    as_number_key(s.list_json) AS vendor_audience_id,
    c.email,
    CASE s.opt_out_json ->> '$' WHEN 'true' THEN 'no' WHEN 'false' THEN 'yes' ELSE 'unknown' END AS said,
    CASE s.opt_out_json ->> '$' WHEN 'true' THEN 'opted out' WHEN 'false' THEN 'subscribed' ELSE 'no status' END
      AS vendor_state,
    to_moment(s.opted_out_at || 'Z') AS said_at,
    s.updated_at,
    CAST(json_object('subscription_id', s.subscription_id) AS VARCHAR) AS write_context,
    s.misshapen || problems([
      wrong_type_problem(c.email_json, 'email', 'VARCHAR'),
      number_key_problem(s.contact_json, 'contact'),
      number_key_problem(s.list_json, 'audience'),
      moment_problem(
        s.opted_out_at IS NOT NULL AND to_moment(s.opted_out_at || 'Z') IS NULL AND s.opt_out_json ->> '$' <> 'true',
        'changed_at'
      )
    ]) AS misshapen
  FROM subscriptions AS s
  LEFT JOIN contacts AS c ON c.contact_id = as_number_key(s.contact_json)
  LEFT JOIN lists AS l ON l.list_id = as_number_key(s.list_json)
  WHERE (as_number_key(s.contact_json) IS NULL OR c.email IS NOT NULL) AND NOT coalesce(l.is_archived, FALSE)
  UNION ALL
  SELECT
    addresses.vendor_id, 'blacklist', addresses.email, 'yes', 'not on the blacklist', NULL, addresses.updated_at, '{}',
    problems([wrong_type_problem(addresses.email_json, 'email', 'VARCHAR')])
  FROM (
    SELECT 'contact:' || contact_id AS vendor_id, email, email_json, updated_at FROM contacts
    UNION ALL
    SELECT partner_id, email, email_json, updated_at FROM partners
  ) AS addresses
  WHERE addresses.email IS NOT NULL
)

SELECT
  s.vendor_id,
  s.vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(s.email)) AS contact_point,
  CASE WHEN f.email_norm IS NOT NULL THEN 'no' ELSE s.said END AS state,
  CASE WHEN s.said <> 'no' AND f.email_norm IS NOT NULL THEN 'on the blacklist' ELSE s.vendor_state END AS vendor_state,
  CASE WHEN s.said = 'no' THEN coalesce(s.said_at, s.updated_at) ELSE f.since END AS changed_at,
  FALSE AS has_proof,
  CAST(NULL AS VARCHAR) AS proof,
  norm_email(s.email) AS email,
  CAST(NULL AS VARCHAR) AS version,
  s.updated_at,
  CAST(json_merge_patch(s.write_context, json_object('email', norm_email(s.email))) AS VARCHAR) AS write_context,
  s.misshapen || problems([
    email_problem(s.email IS NOT NULL AND norm_email(s.email) IS NULL),
    problem(u.is_there, 'state', 'the blacklist holds what is no address', 'text')
  ]) AS problems
FROM stated AS s
CROSS JOIN unreadable AS u
LEFT JOIN forbidden AS f ON f.email_norm = norm_email(s.email)
