-- grain: one thing a system says tonight about one permission that the ledger does not know yet
-- key: contact_point, channel, purpose, system, vendor_id
-- why: consent is a list of events, appended and never edited. Unknown is no event. Where two audiences of one record mean
--   the same purpose, the more restrictive one speaks. A no that stands unbroken is one event: where a system's only time
--   is that of the record's last edit, later edits of a name do not make the no younger. A no that we wrote ourselves is
--   marked as ours: it holds for its address, but it is nobody's own word about other addresses. Where the system gives it
--   no time, it has that of the no for which we wrote it: else our own echo would be younger than every later opt-in
WITH said AS (
  SELECT c.contact_point, a.channel, a.purpose, c.system, c.vendor_id, c.vendor_audience_id, c.state, c.vendor_state,
    c.changed_at, coalesce(c.has_proof, false) AND c.state = 'yes' AND c.changed_at IS NOT NULL AS has_proof, c.proof,
    c.changed_at IS NOT DISTINCT FROM c.updated_at AS is_edit_time
  FROM staged.consents AS c
  JOIN estate.systems AS s ON s.system = c.system
  JOIN estate.audiences AS a
    ON a.system = c.system AND a.vendor_audience_id = c.vendor_audience_id AND a.channel = c.channel
  WHERE c.contact_point IS NOT NULL AND c.state IN ('yes', 'no', 'pending')
  QUALIFY row_number() OVER (
    PARTITION BY c.contact_point, a.channel, a.purpose, c.system, c.vendor_id
    ORDER BY list_position(['no', 'pending', 'yes'], c.state), c.vendor_audience_id) = 1
),
latest AS (
  SELECT contact_point, channel, purpose, system, vendor_id, state, vendor_state, changed_at, has_proof, proof, seen_at
  FROM ledger.identity.consent_events
  QUALIFY row_number() OVER (
    PARTITION BY contact_point, channel, purpose, system, vendor_id
    ORDER BY seen_at DESC, list_position(['no', 'pending', 'yes'], state), changed_at DESC NULLS FIRST) = 1
),
ours AS (
  SELECT c.system, c.vendor_id, c.vendor_sub_id, c.subject_id AS contact_point, max(o."at") AS written_at,
    arg_max(to_moment(c.context ->> '$.changed_at'), o."at") FILTER (o.status = 'applied') AS no_at
  FROM ledger.sync.corrections AS c
  JOIN ledger.sync.outcomes AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
  WHERE c.entity = 'consents' AND c.desired = 'no' AND o.status IN ('applied', 'unknown')
  GROUP BY ALL
)
SELECT s.contact_point, s.channel, s.purpose, s.system, s.vendor_id, s.state, s.vendor_state,
  CASE WHEN s.state = 'no' AND w.written_at >= l.seen_at AND l.state <> 'no' THEN coalesce(s.changed_at, w.no_at)
    ELSE s.changed_at END AS changed_at,
  n.as_of AS seen_at, s.has_proof,
  CASE WHEN s.state = 'no' AND w.written_at >= l.seen_at AND l.state <> 'no' THEN 'ours' ELSE s.proof END AS proof,
  n.night_id
FROM said AS s
CROSS JOIN estate.night AS n
LEFT JOIN latest AS l
  ON l.contact_point = s.contact_point AND l.channel = s.channel AND l.purpose = s.purpose AND l.system = s.system
    AND l.vendor_id = s.vendor_id
LEFT JOIN ours AS w
  ON w.system = s.system AND w.vendor_id = s.vendor_id AND w.vendor_sub_id = s.vendor_audience_id
    AND w.contact_point = s.contact_point
WHERE l.state IS DISTINCT FROM s.state
  OR l.has_proof IS DISTINCT FROM s.has_proof
  OR l.vendor_state IS DISTINCT FROM s.vendor_state
  OR (l.changed_at IS DISTINCT FROM s.changed_at AND NOT (s.state = 'no' AND s.is_edit_time)
    AND NOT (s.state = 'no' AND s.changed_at IS NULL AND coalesce(l.proof = 'ours', false)))
