-- grain: one subscription of a mailing contact to a list; for each address that Odoo knows, whether it may be mailed; and
--        for each banned one, each mapped list that it has no subscription to
-- key: vendor_id, vendor_audience_id (the list's id, or "blacklist")
-- why: a subscription says yes until it is opted out of; the blacklist forbids every list at once, so it makes a no of
--      each, also of a mapped list that the address is not in. Beside, every partner's and contact's address has a row in
--      the audience "blacklist": yes only says that nothing forbids it, so that a no told elsewhere can be laid on it. A
--      ban that neither carries (archived, deleted, a lead) stands by itself. An entry that is no address may be anybody's
--      no: then no yes is believed. Odoo keeps when somebody opted out, never when or how somebody opted in: a yes has no
--      time and no proof; a no is as young as the younger of opt-out and ban. Nothing is sent to an archived list. What
--      cannot be told to be of a contact, a list or an address is a problem, never left out. `bans` says which no is the
--      blacklist's, standing or to be written: one that we put there makes a no of every list, and is nobody's word.
WITH bans AS (
  SELECT
    id AS ban_id,
    payload -> '$.email' AS email_json,
    nullif(trim(payload ->> '$.email'), '') AS email,
    norm_email(payload ->> '$.email') AS email_norm,
    to_moment((payload ->> '$.write_date') || 'Z') AS since
  FROM raw_odoo.blacklist
  WHERE coalesce(payload ->> '$.active', 'true') <> 'false'
),

forbidden AS (
  SELECT email_norm, max(since) AS since
  FROM bans
  WHERE email_norm IS NOT NULL
  GROUP BY email_norm
),

unreadable AS (
  SELECT count(*) > 0 AS is_there
  FROM bans
  WHERE email_norm IS NULL
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

known AS (
  SELECT 'contact:' || contact_id AS vendor_id, email, email_json, updated_at
  FROM contacts
  WHERE email IS NOT NULL
  UNION ALL
  SELECT partner_id, email, email_json, updated_at
  FROM partners
  WHERE email IS NOT NULL
),

addresses AS (
  SELECT
    vendor_id, email, 'yes' AS said, 'not on the blacklist' AS vendor_state, updated_at,
    problems([wrong_type_problem(email_json, 'email', 'VARCHAR')]) AS misshapen
  FROM known
  UNION ALL
  SELECT
    'blacklist:' || b.ban_id, b.email, 'no', 'on the blacklist', b.since,
    problems([missing_problem(b.email IS NULL, 'email'), wrong_type_problem(b.email_json, 'email', 'VARCHAR')])
  FROM bans AS b
  WHERE NOT EXISTS (SELECT 1 FROM known AS k WHERE norm_email(k.email) = b.email_norm)
),

subscribed AS (
  SELECT
    'contact:' || as_number_key(s.contact_json) AS vendor_id,
    as_number_key(s.list_json) AS vendor_audience_id,
    c.email,
    CASE s.opt_out_json ->> '$' WHEN 'true' THEN 'no' WHEN 'false' THEN 'yes' ELSE 'unknown' END AS said,
    CASE s.opt_out_json ->> '$' WHEN 'true' THEN 'opted out' WHEN 'false' THEN 'subscribed' ELSE 'no status' END
      AS vendor_state,
    coalesce(to_moment(s.opted_out_at || 'Z'), s.updated_at) AS said_at,
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
),

stated AS (
  SELECT vendor_id, vendor_audience_id, email, said, vendor_state, said_at, updated_at, write_context, misshapen
  FROM subscribed
  UNION ALL
  SELECT vendor_id, 'blacklist', email, said, vendor_state, updated_at, updated_at, '{}', misshapen
  FROM addresses
  UNION ALL
  SELECT a.vendor_id, m.vendor_audience_id, a.email, 'unknown', 'not in the list', NULL, a.updated_at, '{}', a.misshapen
  FROM addresses AS a
  INNER JOIN forbidden AS f ON f.email_norm = norm_email(a.email)
  INNER JOIN estate.audiences AS m ON m.system = 'odoo' AND m.vendor_audience_id <> 'blacklist'
  WHERE NOT EXISTS (
    SELECT 1 FROM subscribed AS s WHERE s.vendor_id = a.vendor_id AND s.vendor_audience_id = m.vendor_audience_id)
)

SELECT
  s.vendor_id,
  s.vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(s.email)) AS contact_point,
  CASE WHEN f.email_norm IS NOT NULL THEN 'no' ELSE s.said END AS state,
  CASE WHEN s.said <> 'no' AND f.email_norm IS NOT NULL THEN 'on the blacklist' ELSE s.vendor_state END AS vendor_state,
  CASE
    WHEN s.said <> 'no' THEN f.since
    WHEN f.email_norm IS NULL THEN s.said_at
    WHEN s.said_at IS NOT NULL AND f.since IS NOT NULL THEN greatest(s.said_at, f.since)
  END AS changed_at,
  FALSE AS has_proof,
  CAST(NULL AS VARCHAR) AS proof,
  norm_email(s.email) AS email,
  CAST(NULL AS VARCHAR) AS version,
  s.updated_at,
  CAST(json_merge_patch(s.write_context, json_object('email', norm_email(s.email), 'bans',
    (s.vendor_audience_id IS NOT DISTINCT FROM 'blacklist' OR (s.said <> 'no' AND f.email_norm IS NOT NULL))
  )) AS VARCHAR) AS write_context,
  s.misshapen || problems([
    email_problem(s.email IS NOT NULL AND norm_email(s.email) IS NULL),
    problem(
      u.is_there AND s.said <> 'no' AND f.email_norm IS NULL, 'state', 'the blacklist holds what is no address', 'text'
    )
  ]) AS problems
FROM stated AS s
CROSS JOIN unreadable AS u
LEFT JOIN forbidden AS f ON f.email_norm = norm_email(s.email)
