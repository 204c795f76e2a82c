-- grain: one thing a system says tonight about one permission that the ledger does not know yet
-- key: contact_point, channel, purpose, system, vendor_id
-- why: consent is a list of events, appended and never edited. Unknown is no event. Where two audiences of one record mean
--   the same purpose, the more restrictive one speaks, and of two no the one that we did not write. A no that stands
--   unbroken is one event: where a system's only time is that of the record's last edit, later edits of a name do not
--   make the no younger. A no that we wrote ourselves is marked as ours: it holds for its address, but it is nobody's own
--   word about other addresses. It has the time of the no for which we wrote it, not that of our write, which some systems
--   give it: else our own echo would be younger than every later opt-in. A yes that is read after we wrote a no is said
--   again, though it is what was said before: our no did not last, and the next one is somebody's own.
--   A ban is a no of the whole record (`bans` in a permission's write context). As long as one that we wrote stands, no
--   audience of the record can say anything else: it is ours in every audience of the purpose that we wrote it for, and
--   in those of other purposes it is no word at all, since nobody said no there
WITH written AS (
  -- A lost answer counts from when it was lost, until it is known what became of it.
  SELECT o.plan_id, o.correction_key, arg_max(o.status, o.rowid) AS status,
    min(o."at") FILTER (o.status IN ('applied', 'unknown')) AS written_at
  FROM ledger.sync.outcomes AS o
  GROUP BY o.plan_id, o.correction_key
),
ours AS (
  SELECT c.system, c.vendor_id, c.vendor_sub_id, c.subject_id AS contact_point, c.subject_sub_id AS permission,
    coalesce(c.context->>'$.bans' = 'true', false) AS bans, max(w.written_at) AS written_at,
    arg_max_null(to_moment(c.context ->> '$.changed_at'), w.written_at) FILTER (w.status = 'applied') AS no_at
  FROM ledger.sync.corrections AS c
  JOIN written AS w ON w.plan_id = c.plan_id AND w.correction_key = c.correction_key
  WHERE c.entity = 'consents' AND c.desired = 'no' AND w.status IN ('applied', 'unknown')
  GROUP BY ALL
),
bans AS (
  -- Those of ours that stand: the record was not seen open at the address since, for whatever purpose.
  SELECT w.system, w.vendor_id, w.contact_point, list(DISTINCT w.permission ORDER BY w.permission) AS permissions,
    CASE WHEN count(w.no_at) = count(*) THEN max(w.no_at) END AS no_at
  FROM ours AS w
  WHERE w.bans AND NOT EXISTS (
    SELECT 1 FROM ledger.identity.consent_events AS e
    WHERE e.state IN ('yes', 'pending') AND e.contact_point = w.contact_point AND e.system = w.system
      AND e.vendor_id = w.vendor_id AND e.seen_at > w.written_at)
  GROUP BY w.system, w.vendor_id, w.contact_point
),
heard AS (
  SELECT c.contact_point, a.channel, a.purpose, c.system, c.vendor_id, c.vendor_audience_id, c.state, c.vendor_state,
    c.changed_at, coalesce(c.has_proof, false) AND c.state = 'yes' AND c.changed_at IS NOT NULL AS has_proof, c.proof,
    c.changed_at IS NOT DISTINCT FROM c.updated_at AS is_edit_time,
    c.state = 'no' AND coalesce(c.write_context->>'$.bans' = 'true', false) AS bans
  FROM staged.consents AS c
  JOIN estate.systems AS s ON s.system = c.system
  JOIN estate.audiences AS a
    ON a.system = c.system AND a.vendor_audience_id = c.vendor_audience_id AND a.channel = c.channel
  WHERE c.contact_point IS NOT NULL AND c.state IN ('yes', 'no', 'pending')
),
said AS (
  SELECT h.contact_point, h.channel, h.purpose, h.system, h.vendor_id, h.state, h.vendor_state, h.changed_at, h.has_proof,
    h.proof, h.is_edit_time, b.contact_point IS NOT NULL AS is_our_ban, w.written_at,
    CASE WHEN b.contact_point IS NOT NULL THEN b.no_at ELSE w.no_at END AS no_at
  FROM heard AS h
  LEFT JOIN bans AS b
    ON h.bans AND b.system = h.system AND b.vendor_id = h.vendor_id AND b.contact_point = h.contact_point
  LEFT JOIN ours AS w
    ON NOT h.bans AND NOT w.bans AND w.system = h.system AND w.vendor_id = h.vendor_id
      AND w.vendor_sub_id = h.vendor_audience_id AND w.contact_point = h.contact_point
      AND w.permission = concat(h.channel, ':', h.purpose)
  WHERE b.contact_point IS NULL OR list_contains(b.permissions, concat(h.channel, ':', h.purpose))
  QUALIFY row_number() OVER (
    PARTITION BY h.contact_point, h.channel, h.purpose, h.system, h.vendor_id
    ORDER BY list_position(['no', 'pending', 'yes'], h.state), b.contact_point IS NOT NULL OR w.written_at IS NOT NULL,
      h.vendor_audience_id) = 1
),
latest AS (
  SELECT contact_point, channel, purpose, system, vendor_id, state, vendor_state, changed_at, has_proof, seen_at,
    coalesce(proof = 'ours', false) AS is_ours
  FROM ledger.identity.consent_events
  QUALIFY row_number() OVER (
    PARTITION BY contact_point, channel, purpose, system, vendor_id
    ORDER BY seen_at DESC, list_position(['no', 'pending', 'yes'], state), changed_at DESC NULLS FIRST) = 1
)
SELECT s.contact_point, s.channel, s.purpose, s.system, s.vendor_id, s.state, s.vendor_state,
  CASE WHEN (s.is_our_ban OR s.state = 'no' AND s.written_at >= l.seen_at AND l.state <> 'no')
      AND coalesce(s.changed_at <= s.written_at, s.changed_at IS NULL)
    THEN least(s.changed_at, s.no_at) ELSE s.changed_at END AS changed_at,
  n.as_of AS seen_at, s.has_proof,
  CASE WHEN s.is_our_ban OR s.state = 'no' AND s.written_at >= l.seen_at AND l.state <> 'no' THEN 'ours' ELSE s.proof END
    AS proof,
  n.night_id
FROM said AS s
CROSS JOIN estate.night AS n
LEFT JOIN latest AS l
  ON l.contact_point = s.contact_point AND l.channel = s.channel AND l.purpose = s.purpose AND l.system = s.system
    AND l.vendor_id = s.vendor_id
WHERE l.state IS DISTINCT FROM s.state
  OR l.has_proof IS DISTINCT FROM s.has_proof
  OR l.vendor_state IS DISTINCT FROM s.vendor_state
  OR (l.changed_at IS DISTINCT FROM s.changed_at AND NOT (s.state = 'no' AND s.is_edit_time)
    AND NOT (s.state = 'no' AND l.is_ours AND coalesce(s.changed_at <= s.written_at, s.changed_at IS NULL)))
  -- Beside a no of ours, the first that is not.
  OR (s.state = 'no' AND l.is_ours AND NOT s.is_our_ban AND s.written_at IS NULL)
  -- Open still, or again, since we wrote a no: once told, a later no is not our echo.
  OR (s.state <> 'no' AND EXISTS (
        SELECT 1 FROM ours AS w
        WHERE w.system = s.system AND w.vendor_id = s.vendor_id AND w.contact_point = s.contact_point
          AND (w.bans OR w.permission = concat(s.channel, ':', s.purpose))
          AND w.written_at >= l.seen_at AND w.written_at < n.as_of)
      AND EXISTS (SELECT 1 FROM reads.verdicts AS v WHERE v.system = s.system AND v.entity = 'consents' AND v.is_complete))
