-- grain: one contact point, channel and purpose of which anything was ever said
-- key: contact_point, channel, purpose
-- why: the rule of consent, over all events of all nights, whatever their order:
--   1. Withdrawal wins: any no makes the answer no, unless a proven opt-in at the same contact point is younger.
--   2. A person's no reaches the person's other addresses: over bindings that were made without asking and that the
--      ledger holds (from earlier nights; once persons are linked, tonight's too), and only where the record itself said no (not where we wrote it). There, too, a
--      younger proven opt-in counts. A yes never moves to another address. It does not reach a record that somebody has
--      parted from the one that said it; where it had been written before, that no stands like any other.
--   3. Without a no: a proven yes is yes unless a younger pending stands; pending is pending, however many unproven yes
--      stand beside it; else yes. Unknown is no event, and nothing is concluded from it.
--   Times: a missing time is never now. A no without time is younger than everything, a yes without time proves nothing.
--   A proof cannot be younger than the night that first saw it (a clock that runs ahead); a no keeps its own time.
WITH events AS (
  SELECT contact_point, channel, purpose, system, vendor_id, state, coalesce(proof = 'ours', false) AS is_ours,
    CASE WHEN state = 'no' THEN coalesce(changed_at, TIMESTAMPTZ 'infinity')
         WHEN state = 'pending' THEN coalesce(changed_at, seen_at)
         WHEN has_proof AND changed_at IS NOT NULL THEN least(changed_at, seen_at) END AS said_at
  FROM ledger.identity.consent_events
  WHERE state IN ('yes', 'no', 'pending')
),
points AS (
  SELECT contact_point, channel, purpose,
    max(said_at) FILTER (state = 'no') AS no_at,
    coalesce(bool_or(NOT is_ours) FILTER (state = 'no'), false) AS is_told,
    max(said_at) FILTER (state = 'yes') AS proven_at,
    max(said_at) FILTER (state = 'pending') AS pending_at,
    arg_max(system, {'at': said_at, 'system': system}) FILTER (state = 'no') AS no_system,
    arg_max(system, {'at': said_at, 'system': system}) FILTER (state = 'yes' AND said_at IS NOT NULL) AS proven_system,
    arg_max(system, {'at': said_at, 'system': system}) FILTER (state = 'pending') AS pending_system,
    min(system) FILTER (state = 'yes') AS yes_system
  FROM events
  GROUP BY contact_point, channel, purpose
),
withdrawn AS (
  -- Who said no, where it still stands.
  SELECT DISTINCT b.person_id, e.vendor_id, e.contact_point, e.channel, e.purpose, e.said_at, e.system
  FROM events AS e
  JOIN points AS p ON p.contact_point = e.contact_point AND p.channel = e.channel AND p.purpose = e.purpose
  JOIN ledger.identity.persons AS b ON b.system = e.system AND b.vendor_id = e.vendor_id AND b.rule <> 'review'
  WHERE e.state = 'no' AND NOT e.is_ours AND NOT coalesce(p.proven_at > p.no_at, false)
),
reached AS (
  -- The other addresses of the same persons, as the systems have them tonight.
  SELECT o.contact_point, o.channel, o.purpose, max(w.said_at) AS no_at,
    arg_max(w.system, {'at': w.said_at, 'system': w.system}) AS no_system
  FROM withdrawn AS w
  JOIN ledger.identity.persons AS b ON b.person_id = w.person_id AND b.rule <> 'review'
  JOIN observed.consents AS o
    ON o.system = b.system AND o.vendor_id = b.vendor_id AND o.channel = w.channel AND o.purpose = w.purpose
      AND o.contact_point <> w.contact_point
  WHERE NOT EXISTS (
    SELECT 1 FROM ledger.identity.apart AS a
    ANTI JOIN ledger.identity.apart_undone AS u ON u.parting_id = a.parting_id
    WHERE (a.taken_system = w.system AND a.taken_id = w.vendor_id AND a.kept_system = b.system AND a.kept_id = b.vendor_id)
      OR (a.kept_system = w.system AND a.kept_id = w.vendor_id AND a.taken_system = b.system AND a.taken_id = b.vendor_id))
  GROUP BY o.contact_point, o.channel, o.purpose
),
joined AS (
  SELECT coalesce(p.contact_point, r.contact_point) AS contact_point, coalesce(p.channel, r.channel) AS channel,
    coalesce(p.purpose, r.purpose) AS purpose, p.no_at, p.is_told, p.proven_at, p.pending_at, p.no_system, p.proven_system,
    p.pending_system, p.yes_system, r.no_at AS person_no_at, r.no_system AS person_no_system
  FROM points AS p
  FULL JOIN reached AS r ON r.contact_point = p.contact_point AND r.channel = p.channel AND r.purpose = p.purpose
),
ruled AS (
  SELECT contact_point, channel, purpose, no_at, proven_at, pending_at, no_system, proven_system, pending_system,
    yes_system, person_no_at, person_no_system,
    -- Where only we wrote the no, for a person's other address, that stays the reason: a row keeps its identity.
    CASE WHEN no_at IS NOT NULL AND NOT coalesce(proven_at > no_at, false)
           AND (is_told OR person_no_at IS NULL OR coalesce(proven_at > person_no_at, false)) THEN 'withdrawal'
         WHEN person_no_at IS NOT NULL AND NOT coalesce(proven_at > person_no_at, false)
           THEN 'withdrawal of the same person'
         WHEN proven_at IS NOT NULL AND NOT coalesce(pending_at >= proven_at, false)
           THEN CASE WHEN no_at IS NULL AND person_no_at IS NULL THEN 'proven opt-in' ELSE 'proven opt-in after withdrawal' END
         WHEN pending_at IS NOT NULL THEN 'not confirmed'
         ELSE 'opt-in' END AS rule
  FROM joined
)
SELECT contact_point, channel, purpose,
  CASE WHEN starts_with(rule, 'withdrawal') THEN 'no' WHEN rule = 'not confirmed' THEN 'pending' ELSE 'yes' END AS state,
  CASE rule WHEN 'withdrawal' THEN no_system WHEN 'withdrawal of the same person' THEN person_no_system
            WHEN 'not confirmed' THEN pending_system WHEN 'opt-in' THEN yes_system ELSE proven_system END AS authority,
  rule,
  CASE rule
    WHEN 'withdrawal' THEN concat(no_system, ' was told no',
      CASE WHEN isinf(no_at) THEN ' (it does not say when)' ELSE strftime(timezone('UTC', no_at), ' on %Y-%m-%d') END,
      '; no proven opt-in is younger')
    WHEN 'withdrawal of the same person' THEN concat(person_no_system, ' was told no for another address of this person',
      CASE WHEN isinf(person_no_at) THEN '' ELSE strftime(timezone('UTC', person_no_at), ' on %Y-%m-%d') END)
    WHEN 'proven opt-in after withdrawal' THEN concat(proven_system, ' has a proven opt-in of ',
      strftime(timezone('UTC', proven_at), '%Y-%m-%d'), ', younger than every no')
    WHEN 'proven opt-in' THEN concat(proven_system, ' has a proven opt-in of ',
      strftime(timezone('UTC', proven_at), '%Y-%m-%d'), '; nobody was told no')
    WHEN 'not confirmed' THEN concat(pending_system, ' waits for the person to confirm')
    ELSE concat(yes_system, ' says yes without proof; nobody was told no') END AS reason,
  -- Since when the no stands, where whoever was told it says so.
  CASE rule
    WHEN 'withdrawal' THEN CASE WHEN isfinite(no_at) THEN no_at END
    WHEN 'withdrawal of the same person' THEN CASE WHEN isfinite(person_no_at) THEN person_no_at END END AS no_at
FROM ruled
