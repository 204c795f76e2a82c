-- grain: one member of one Mailchimp audience
-- key: vendor_id, vendor_audience_id
-- why: subscribed is yes, unsubscribed is no, pending waits for the person. Cleaned (the address bounced), archived and
--      transactional say nothing of the person's will: unknown. Proof is the time and the address of a double opt-in.
--      Mailchimp keeps no time of unsubscribing: last_changed is the latest it can have been, and later edits move it,
--      so the ledger's first sight of an unbroken no is the better time;
--      a no stands without any.
WITH parsed AS (
  SELECT
    from_json(payload, '{"id": "VARCHAR", "email_address": "VARCHAR", "status": "VARCHAR", "list_id": "JSON",
      "timestamp_signup": "VARCHAR", "timestamp_opt": "VARCHAR", "ip_opt": "VARCHAR", "last_changed": "VARCHAR"}') AS r
  FROM raw_mailchimp.members
), read AS (
  SELECT
    r.id AS member_id,
    r.list_id AS list_json,
    as_key(r.list_id) AS list_id,
    nullif(trim(r.email_address), '') AS email,
    r.status AS status,
    to_moment(nullif(r.timestamp_opt, '')) AS opted_at,
    to_moment(nullif(r.timestamp_signup, '')) AS signed_up_at,
    coalesce(trim(r.ip_opt), '') <> '' AS has_address,
    to_moment(r.last_changed) AS updated_at,
    CASE r.status WHEN 'subscribed' THEN nullif(r.timestamp_opt, '') WHEN 'pending' THEN nullif(r.timestamp_signup, '') END
      AS said_at
  FROM parsed
)
SELECT
  member_id AS vendor_id,
  list_id AS vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  CASE status WHEN 'subscribed' THEN 'yes' WHEN 'unsubscribed' THEN 'no' WHEN 'pending' THEN 'pending' ELSE 'unknown' END
    AS state,
  status AS vendor_state,
  CASE status WHEN 'subscribed' THEN opted_at WHEN 'unsubscribed' THEN updated_at WHEN 'pending' THEN signed_up_at END
    AS changed_at,
  status = 'subscribed' AND opted_at IS NOT NULL AND has_address AS has_proof,
  CASE WHEN status = 'subscribed' AND opted_at IS NOT NULL AND has_address
       THEN 'double opt-in, time and address kept by Mailchimp (timestamp_opt, ip_opt)' END AS proof,
  email,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('email', email, 'list_id', list_id) AS VARCHAR) AS write_context,
  problems([
    key_problem(list_json, 'audience'),
    email_problem(norm_email(email) IS NULL),
    problem(status IS NULL OR status NOT IN ('subscribed', 'unsubscribed', 'cleaned', 'pending', 'transactional',
                                             'archived'), 'state', 'not a known state', 'unknown value'),
    moment_problem(said_at IS NOT NULL AND to_moment(said_at) IS NULL, 'changed_at')
  ]) AS problems
FROM read
