-- grain: one permission to lower because a person accepted a system's "no"
-- key: correction_key
-- why: accept-theirs makes the value found in one system the truth: every record that still says yes is lowered
SELECT correction_key(n.estate, o.system, o.vendor_id, o.vendor_audience_id, 'consents', 'state', o.state, 'no', 'accept-theirs')
    AS correction_key,
  o.system, 'consents' AS entity, 'state' AS field, o.vendor_id, o.vendor_audience_id AS vendor_sub_id,
  o.contact_point AS subject_id, d.subject_sub_id, NULL::VARCHAR AS currency,
  o.state AS observed, NULL::VARCHAR AS base, false AS has_base, 'no' AS desired, 'lower' AS drift_class, d.system AS authority,
  'accept-theirs' AS rule, concat(a.author, ' took the no of ', d.system, ' as the truth: ', a.reason) AS reason,
  CAST(o.version AS VARCHAR) AS version,
  CAST(json_merge_patch(coalesce(o.write_context, '{}'), json_object('email', o.email)) AS VARCHAR) AS context,
  NULL::BIGINT AS cost_minor, NULL::BIGINT AS old_minor, NULL::TIMESTAMPTZ AS desired_until,
  d.correction_key AS accepted_key, a.author AS accepted_by, a.answered_at
FROM plan.drift AS d
CROSS JOIN estate.night AS n
JOIN plan.answers AS a ON a.correction_key = d.correction_key AND a.answer = 'accept-theirs'
JOIN observed.consents AS o
  ON o.contact_point = d.subject_id AND concat(o.channel, ':', o.purpose) = d.subject_sub_id AND o.state IN ('yes', 'pending')
WHERE d.observed = 'no'
