-- grain: one Brevo contact with an address × one list: those that it is in or has left, and those that the estate maps
-- key: vendor_id, vendor_audience_id
-- why: Brevo keeps switches and no times. Blacklisted is no to every list: by its owner's word, a complaint, a bounce or a
--      hand, which it does not tell apart, so all of them are. A list that was unsubscribed from (only where the account
--      has that) is no to that list. In a list and nothing said against it is yes; in none is unknown, which is not yes.
--      modifiedAt moves with any touch and perhaps not with an unsubscription, so it is no time of consent: a yes proves
--      nothing, and a no stands without its time. A list that was left says so before the blacklist does: that no is of
--      the list alone. A no is written by the blacklist, as Brevo's own link does it, where all mapped lists are of one
--      purpose; where they are of several it would be a no to those that nobody spoke of, so by leaving the one list.
--      `bans` says which of the two a no is, standing or to be written: of the whole contact, or of this list.
WITH contacts AS (
  SELECT
    id,
    payload->'$.email' AS email_json,
    CASE WHEN json_type(payload->'$.email') = 'VARCHAR' AND NOT ends_with(lower(trim(payload->>'$.email')), '@mailin-sms.com')
         THEN nullif(trim(payload->>'$.email'), '') END AS email,
    payload->'$.emailBlacklisted' AS blacklisted,
    payload->'$.listIds' AS joined_json,
    payload->'$.listUnsubscribed' AS left_json,
    CASE WHEN json_type(payload->'$.listIds') = 'ARRAY' THEN from_json(payload->'$.listIds', '["JSON"]') ELSE [] END
      AS joined,
    CASE WHEN json_type(payload->'$.listUnsubscribed') = 'ARRAY' THEN from_json(payload->'$.listUnsubscribed', '["JSON"]')
      ELSE [] END AS departed,
    to_moment(payload->>'$.modifiedAt') AS updated_at
  FROM raw_brevo.contacts
), addressed AS (
  SELECT
    id, email, email_json, blacklisted, joined_json, left_json, updated_at,
    list_transform(list_filter(joined, lambda one: json_type(one) = 'UBIGINT'), lambda one: one->>'$') AS joined,
    list_transform(list_filter(departed, lambda one: json_type(one) = 'UBIGINT'), lambda one: one->>'$') AS departed,
    wrong_elements(list_transform(joined || departed, lambda one: json_type(one)), 'UBIGINT', 'audience') AS strange
  FROM contacts
  WHERE email IS NOT NULL OR json_type(email_json) NOT IN ('VARCHAR', 'NULL')
), audiences AS (
  SELECT
    estate.audiences.vendor_audience_id AS list_id,
    estate.audiences.purpose,
    EXISTS (SELECT 1 FROM raw_brevo.lists AS l WHERE l.id = estate.audiences.vendor_audience_id) AS is_there
  FROM estate.audiences
  WHERE estate.audiences.system = 'brevo'
), named AS (
  SELECT addressed.id, audiences.list_id FROM addressed CROSS JOIN audiences
  UNION
  SELECT addressed.id, unnest(addressed.joined || addressed.departed) FROM addressed
  UNION
  -- What cannot be read as lists at all is a problem of its contact, whether lists are mapped or not.
  SELECT addressed.id, '' FROM addressed
  WHERE coalesce(json_type(addressed.joined_json), '') <> 'ARRAY'
    OR json_type(addressed.left_json) NOT IN ('ARRAY', 'NULL') OR len(addressed.strange) > 0
), permissions AS (
  SELECT
    a.id, n.list_id, a.email, a.email_json, a.blacklisted, a.joined_json, a.left_json, a.strange, a.updated_at,
    p.is_there,
    CASE WHEN list_contains(a.departed, n.list_id) THEN 'unsubscribed from the list'
         WHEN a.blacklisted->>'$' = 'true' THEN 'blacklisted'
         WHEN list_contains(a.joined, n.list_id) THEN 'in the list'
         ELSE 'not in the list' END AS vendor_state
  FROM addressed AS a
  JOIN named AS n ON n.id = a.id
  LEFT JOIN audiences AS p ON p.list_id = n.list_id
), judged AS (
  SELECT
    id, list_id, email, email_json, blacklisted, joined_json, left_json, strange, updated_at, is_there, vendor_state,
    CASE vendor_state WHEN 'not in the list' THEN 'unknown' WHEN 'in the list' THEN 'yes' ELSE 'no' END AS state,
    CASE vendor_state WHEN 'blacklisted' THEN TRUE WHEN 'unsubscribed from the list' THEN FALSE
      ELSE (SELECT count(DISTINCT audiences.purpose) FROM audiences) <= 1 END AS bans
  FROM permissions
)
SELECT
  id AS vendor_id,
  list_id AS vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  state,
  vendor_state,
  CAST(NULL AS TIMESTAMPTZ) AS changed_at,
  FALSE AS has_proof,
  CAST(NULL AS VARCHAR) AS proof,
  email,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('email', email, 'bans', bans) AS VARCHAR) AS write_context,
  strange || problems([
    wrong_type_problem(email_json, 'email', 'VARCHAR'),
    email_problem(email IS NOT NULL AND norm_email(email) IS NULL),
    missing_problem(blacklisted IS NULL, 'state'),
    wrong_type_problem(blacklisted, 'state', 'BOOLEAN'),
    missing_problem(joined_json IS NULL, 'audience'),
    wrong_type_problem(joined_json, 'audience', 'ARRAY'),
    wrong_type_problem(left_json, 'audience', 'ARRAY'),
    unknown_problem(vendor_state = 'not in the list' AND NOT is_there, 'audience', 'list')
  ]) AS problems
FROM judged
