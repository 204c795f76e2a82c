-- grain: one permission of one record that is not what it ought to be
-- key: system, vendor_id, vendor_sub_id, subject_sub_id, rule
-- why: lowering is always right and goes first; raising needs a proven, younger opt-in, complete reads of every system
--   that may have heard a no, no permission of the address in quarantine, and a person; a yes without proof that is
--   younger than a no elsewhere is put on record as refused, while that yes itself is lowered. Nothing is concluded from
--   `unknown` or pending, nothing is raised there.
--   Where the policy lets a system gain subscribers, an address with a proven opt-in that it has no record of is asked
--   for: always `pending`, so that the person confirms once more.
--   A no goes out with its own time, where that is known: a system that keeps none beside what we write would tell us
--   our no back as one without time, which no later opt-in could ever beat
WITH unread AS (
  SELECT DISTINCT a.channel, a.purpose
  FROM estate.audiences AS a
  WHERE NOT EXISTS (
    SELECT 1 FROM reads.verdicts AS v WHERE v.system = a.system AND v.entity = 'consents' AND v.is_complete)
),
unreadable AS (
  -- Addresses of which some system holds a permission that cannot be read: it may be a no. Where it is the address itself
  -- that cannot be, its customer's counts.
  SELECT q.contact_point
  FROM staged.quarantine AS q
  WHERE q.entity = 'consents' AND q.contact_point IS NOT NULL
  UNION
  SELECT contact_point('email', p.email_norm)
  FROM staged.quarantine AS q
  JOIN staged.customers AS p ON p.system = q.system AND p.vendor_id = q.vendor_id
  WHERE q.entity = 'consents'
),
said AS (
  -- Since when each record's no stands, by the ledger; NULL where the system does not say.
  SELECT contact_point, channel, purpose, system, vendor_id,
    CASE WHEN count(changed_at) = count(*) THEN max(changed_at) END AS no_at
  FROM ledger.identity.consent_events
  WHERE state = 'no'
  GROUP BY ALL
),
unproven AS (
  SELECT contact_point, channel, purpose, system, max(changed_at) AS yes_at
  FROM observed.consents
  WHERE state = 'yes' AND NOT has_proof
  GROUP BY ALL
),
drifted AS (
  SELECT o.system, o.vendor_id, o.vendor_audience_id, o.contact_point, o.channel, o.purpose, o.state AS observed,
    g.state AS desired, 'lower' AS drift_class, g.authority, g.rule, g.reason, o.version, o.email, o.write_context, g.no_at
  FROM observed.consents AS o
  JOIN golden.consents AS g
    ON g.contact_point = o.contact_point AND g.channel = o.channel AND g.purpose = o.purpose
  WHERE g.state = 'no' AND o.state IN ('yes', 'pending')
  UNION ALL
  SELECT o.system, o.vendor_id, o.vendor_audience_id, o.contact_point, o.channel, o.purpose, o.state, 'yes',
    'raise_with_proof', g.authority, g.rule, g.reason, o.version, o.email, o.write_context, NULL
  FROM observed.consents AS o
  JOIN golden.consents AS g
    ON g.contact_point = o.contact_point AND g.channel = o.channel AND g.purpose = o.purpose
  WHERE g.state = 'yes' AND g.rule = 'proven opt-in after withdrawal' AND o.state = 'no'
    AND NOT EXISTS (SELECT 1 FROM unread AS u WHERE u.channel = o.channel AND u.purpose = o.purpose)
    AND NOT EXISTS (SELECT 1 FROM unreadable AS r WHERE r.contact_point = o.contact_point)
  UNION ALL
  SELECT o.system, o.vendor_id, o.vendor_audience_id, o.contact_point, o.channel, o.purpose, o.state, 'yes',
    'raise_without_proof', y.system, 'opt-in without proof',
    concat(y.system, ' says yes since ', strftime(timezone('UTC', y.yes_at), '%Y-%m-%d'), ', after the no here, but proves nothing'),
    o.version, o.email, o.write_context, NULL
  FROM observed.consents AS o
  JOIN golden.consents AS g
    ON g.contact_point = o.contact_point AND g.channel = o.channel AND g.purpose = o.purpose AND g.state = 'no'
  JOIN said AS s
    ON s.contact_point = o.contact_point AND s.channel = o.channel AND s.purpose = o.purpose AND s.system = o.system
      AND s.vendor_id = o.vendor_id
  JOIN unproven AS y
    ON y.contact_point = o.contact_point AND y.channel = o.channel AND y.purpose = o.purpose AND y.system <> o.system
      AND y.yes_at > s.no_at
  WHERE o.state = 'no'
  QUALIFY row_number() OVER (
    PARTITION BY o.system, o.vendor_id, o.vendor_audience_id, o.channel, o.purpose ORDER BY y.yes_at DESC, y.system) = 1
  UNION ALL
  SELECT a.system, concat('new:', g.contact_point), a.vendor_audience_id, g.contact_point, g.channel, g.purpose, NULL, 'pending',
    'raise_with_proof', g.authority, 'new subscriber', concat(g.reason, '; ', a.system, ' has no record of this address'),
    NULL, p.email, NULL, NULL
  FROM golden.consents AS g
  JOIN estate.audiences AS a ON a.channel = g.channel AND a.purpose = g.purpose
  JOIN policy.creates AS c ON c.system = a.system AND c.entity = 'consents'
  JOIN (
    SELECT contact_point, channel, purpose, min(email) AS email FROM observed.consents
    WHERE state = 'yes' AND has_proof GROUP BY contact_point, channel, purpose
  ) AS p ON p.contact_point = g.contact_point AND p.channel = g.channel AND p.purpose = g.purpose
  WHERE g.state = 'yes' AND g.rule IN ('proven opt-in', 'proven opt-in after withdrawal')
    AND NOT EXISTS (SELECT 1 FROM unread AS u WHERE u.channel = g.channel AND u.purpose = g.purpose)
    AND NOT EXISTS (SELECT 1 FROM unreadable AS r WHERE r.contact_point = g.contact_point)
    AND NOT EXISTS (
      SELECT 1 FROM observed.consents AS o
      WHERE o.system = a.system AND o.vendor_audience_id = a.vendor_audience_id AND o.contact_point = g.contact_point)
)
SELECT d.system, 'consents' AS entity, 'state' AS field, d.vendor_id, d.vendor_audience_id AS vendor_sub_id,
  d.contact_point AS subject_id, concat(d.channel, ':', d.purpose) AS subject_sub_id, CAST(NULL AS VARCHAR) AS currency,
  d.observed, CASE WHEN list_contains(b.fields, 'state') THEN b.state END AS base,
  coalesce(list_contains(b.fields, 'state'), false) AS has_base, d.desired, d.drift_class, d.authority, d.rule, d.reason,
  d.version,
  CAST(json_merge_patch(coalesce(d.write_context, '{}'), json_object('email', d.email, 'changed_at',
    strftime(timezone('UTC', d.no_at), '%Y-%m-%dT%H:%M:%S.%gZ'))) AS VARCHAR) AS context,
  CAST(NULL AS BIGINT) AS cost_minor, CAST(NULL AS BIGINT) AS old_minor,
  CAST(NULL AS TIMESTAMPTZ) AS desired_until
FROM drifted AS d
LEFT JOIN ledger.agreed.consents AS b
  ON b.system = d.system AND b.vendor_id = d.vendor_id AND b.vendor_audience_id = d.vendor_audience_id
    AND b.channel = d.channel AND b.purpose = d.purpose
