-- grain: one line of a file of permissions: one address in one audience
-- key: vendor_id, vendor_audience_id (a column, the mapping's word, or a part of the file's name)
-- why: a permission is yes, no or pending in the mapping's own words; a blank is unknown, which is not yes, and so is a
--      box that is not ticked, unless the mapping says that it takes a permission back; another word is neither. A no
--      stands whatever is written beside it; a yes is proven only where the file says when it was given and that a double
--      opt-in is kept
WITH parsed AS (
  SELECT
    from_json(payload, '{"key": "VARCHAR", "place": "VARCHAR", "table": "VARCHAR", "file": "VARCHAR", "line": "VARCHAR",
      "times": "VARCHAR", "values": {"email": "VARCHAR", "state": "VARCHAR", "changed_at": "VARCHAR", "proof": "VARCHAR",
      "updated_at": "VARCHAR", "removed": "VARCHAR"}, "shape": {"dates": "VARCHAR", "timezone": "VARCHAR",
      "yes": ["VARCHAR"], "no": ["VARCHAR"], "pending": ["VARCHAR"], "withdrawals": ["VARCHAR"]}}') AS r
  FROM raw_files.consents
), read AS (
  SELECT
    r.key AS vendor_id,
    r.place AS vendor_audience_id,
    r.values.email AS email,
    r.values.state AS vendor_state,
    CASE WHEN list_contains(r.shape.withdrawals, lower(trim(r.values.state))) THEN 'no'
         WHEN list_contains(r.shape.pending, lower(trim(r.values.state))) THEN 'pending'
         WHEN list_contains(r.shape.yes, lower(trim(r.values.state))) THEN 'yes'
         ELSE 'unknown' END AS state,
    list_contains(r.shape.no, lower(trim(r.values.state))) AS is_unticked,
    r.values.changed_at AS changed_text,
    moment_of_file(r.values.changed_at, r.shape.dates, r.shape.timezone) AS changed_at,
    coalesce(said(r.values.proof, r.shape.yes, r.shape.no), false) AS is_kept,
    moment_of_file(r.values.updated_at, r.shape.dates, r.shape.timezone) AS updated_at,
    said(r.values.removed, r.shape.yes, r.shape.no) AS is_removed,
    r.values.removed AS removed,
    r.table AS table_name,
    r.file AS file,
    r.line AS line,
    TRY_CAST(r.times AS INTEGER) AS times
  FROM parsed
)
SELECT
  vendor_id,
  vendor_audience_id,
  'email' AS channel,
  contact_point('email', norm_email(email)) AS contact_point,
  state,
  coalesce(vendor_state, 'no status') AS vendor_state,
  CASE WHEN state <> 'unknown' THEN changed_at END AS changed_at,
  state = 'yes' AND is_kept AND changed_at IS NOT NULL AS has_proof,
  CASE WHEN state = 'yes' AND is_kept AND changed_at IS NOT NULL THEN 'double opt-in, kept by the retailer' END AS proof,
  email,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('table', table_name, 'file', file, 'line', line) AS VARCHAR) AS write_context,
  at_line(problems([
    twice_problem(times),
    unknown_problem(removed IS NOT NULL AND is_removed IS NULL AND state <> 'no', 'removed', 'word for yes or no'),
    email_problem(norm_email(email) IS NULL),
    unknown_problem(vendor_state IS NOT NULL AND state = 'unknown' AND NOT is_unticked, 'state', 'word for a permission'),
    moment_problem(changed_text IS NOT NULL AND changed_at IS NULL AND state <> 'no', 'changed_at')
  ]), file, line) AS problems
FROM read
WHERE NOT coalesce(is_removed, false)
