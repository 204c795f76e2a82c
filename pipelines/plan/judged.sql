-- grain: what is to be done with one correction, before caps
-- key: correction_key
-- why: refuse, not writable, observe, hold, approve: the first that applies; a person's word lifts a hold of the policy only.
--   An opt-out is before any hold: it is absolute and only downward, so sent twice it says the same. What is parked (R10,
--   R13) waits for a younger word: the one that let it be tried before is spent
WITH unread AS (
  SELECT v.system, v.entity, any_value(v.reason ORDER BY v.reason) AS reason FROM reads.verdicts AS v
  WHERE NOT v.is_complete GROUP BY v.system, v.entity
), deaf AS (
  SELECT string_agg(u.system, ', ' ORDER BY u.system) AS systems FROM unread AS u WHERE u.entity = 'consents'
), facts AS (
  SELECT r.correction_key, r.system, r.entity, r.field, r.drift_class, r.authority, r.accepted_by, r.claim_count,
    r.rule = 'unmerge' AS is_undone, r.rule IN ('unmerge', 'rollback') AND r.entity = 'customers' AND r.desired IS NULL AND e.system IS NULL
      AS is_kept_full,
    g.reason AS guard_reason, t.system IS NOT NULL AS is_known, coalesce(t.is_writable, false) AS is_writable,
    coalesce(t.mode, 'observe') AS mode, p.subject_id IS NOT NULL AS is_pilot, coalesce(d.action, 'hold') AS action,
    own.reason AS own_unread, theirs.reason AS authority_unread, w.system IS NOT NULL AS is_open, h.written_at AS asked_at,
    CASE WHEN r.entity = 'customers' THEN f.systems END AS deaf_systems, r.entity = 'consents' AND r.drift_class = 'lower' AS is_lower,
    r.drift_class = 'raise_with_proof' AND r.observed IS NOT NULL AND u.system IS NULL AS is_by_hand,
    concat(r.entity, '.', r.field) AS place, CASE r.drift_class
      WHEN 'never_agreed' THEN 'it has never agreed' WHEN 'here' THEN 'edited in the system itself'
      WHEN 'elsewhere' THEN 'changed by its source of truth' WHEN 'both' THEN 'changed on both sides'
      WHEN 'rule' THEN 'changed by a rule' WHEN 'explained' THEN 'explained by movements'
      WHEN 'unexplained' THEN 'units are unexplained' ELSE r.drift_class END AS moved,
    a.answer, a.author, a.reason AS said, a.until, z.days AS prior_days, coalesce(s.reason, k.reason) AS parked_reason
  FROM plan.rows AS r
  CROSS JOIN deaf AS f
  LEFT JOIN plan.guards AS g ON g.correction_key = r.correction_key
  LEFT JOIN policy.targets AS t ON t.system = r.system AND t.entity = r.entity AND t.field = r.field
  LEFT JOIN (SELECT DISTINCT q.system, q.entity, q.subject_id FROM policy.pilots AS q) AS p
    ON p.system = r.system AND p.entity = r.entity AND p.subject_id = r.subject_id
  LEFT JOIN (SELECT DISTINCT q.system, q.entity FROM policy.raises AS q) AS u ON u.system = r.system AND u.entity = r.entity
  LEFT JOIN (SELECT DISTINCT q.system, q.entity FROM policy.clears AS q) AS e ON e.system = r.system AND e.entity = r.entity
  LEFT JOIN policy.decisions AS d ON d.entity = r.entity AND d.field = r.field AND d.drift_class = r.drift_class
  LEFT JOIN unread AS own ON own.system = r.system AND own.entity = r.entity
  LEFT JOIN unread AS theirs ON theirs.system = r.authority AND theirs.entity = r.entity
  LEFT JOIN plan.open_writes AS w ON w.system = r.system AND w.entity = r.entity AND w.field = r.field
    AND w.vendor_id = r.vendor_id AND w.vendor_sub_id = r.vendor_sub_id
  LEFT JOIN plan.waiting AS h ON h.correction_key = r.correction_key
  LEFT JOIN plan.flapping AS k ON k.correction_key = r.correction_key
  LEFT JOIN plan.spent AS s ON s.correction_key = r.correction_key
  LEFT JOIN plan.answers AS a ON a.correction_key = r.correction_key
  LEFT JOIN reconcile.prior_prices AS z ON z.is_planned AND z.finding = 'above the lowest' AND r.entity = 'prices'
    AND z.field = r.field AND z.system = r.system AND z.vendor_id = r.vendor_id AND z.vendor_price_list = r.vendor_sub_id
)
SELECT f.correction_key, f.verdict.disposition AS disposition, f.verdict.reason AS disposition_reason, f.verdict.approver AS approver,
  f.verdict.approver IS NULL AND f.verdict.disposition IN ('hold', 'pin', 'reject') AND NOT f.is_blocked AS is_releasable
FROM (
  SELECT x.correction_key, x.is_open OR x.asked_at IS NOT NULL OR x.own_unread IS NOT NULL OR x.authority_unread IS NOT NULL OR x.deaf_systems IS NOT NULL
      OR x.claim_count > 1 OR (x.parked_reason IS NOT NULL AND coalesce(x.answer = 'approve', false)) AS is_blocked, CASE
    WHEN x.guard_reason IS NOT NULL THEN {'disposition': 'refuse', 'reason': x.guard_reason, 'approver': NULL::VARCHAR}
    WHEN x.action = 'refuse' AND NOT x.is_lower AND x.accepted_by IS NULL
      THEN {'disposition': 'refuse', 'reason': concat('The policy refuses ', x.place, '; ', x.moved, '.'), 'approver': NULL}
    WHEN NOT x.is_known
      THEN {'disposition': 'not_writable', 'reason': concat('The policy does not name ', x.entity, '.', x.field, ' of ', x.system, ' as a target.'), 'approver': NULL}
    WHEN NOT x.is_writable
      THEN {'disposition': 'not_writable', 'reason': concat(x.system, ' does not let anybody write ', x.entity, '.', x.field, '; a person has to.'), 'approver': NULL}
    WHEN x.is_by_hand
      THEN {'disposition': 'not_writable', 'reason': concat('No sync raises a permission in ', x.system, ', proven or not; a person does, who has seen the proof.'), 'approver': NULL}
    WHEN x.is_kept_full
      THEN {'disposition': 'not_writable', 'reason': concat('Nothing stood there before, and trueup empties no field of ', x.system, '; a person has to.'), 'approver': NULL}
    WHEN x.mode = 'observe'
      THEN {'disposition': 'observe', 'reason': concat(x.system, ' ', x.entity, ' are only observed (mode = observe).'), 'approver': NULL}
    WHEN x.mode = 'pilot' AND NOT x.is_pilot
      THEN {'disposition': 'observe', 'reason': concat('Not in the pilot of ', x.system, ' ', x.entity, ' (mode = pilot).'), 'approver': NULL}
    WHEN x.is_lower
      THEN {'disposition': 'approve', 'reason': 'Opt-outs have a standing approval.', 'approver': 'policy'}
    WHEN x.is_open
      THEN {'disposition': 'hold', 'reason': 'An earlier write to this value has no known end yet; it is read back first.', 'approver': NULL}
    WHEN x.asked_at IS NOT NULL
      THEN {'disposition': 'hold', 'reason': concat('Asked for on ', strftime(x.asked_at AT TIME ZONE 'UTC', '%Y-%m-%d'), '; ', x.system, ' has not shown it carried out yet.'), 'approver': NULL}
    WHEN x.own_unread IS NOT NULL
      THEN {'disposition': 'hold', 'reason': concat('The ', x.entity, ' of ', x.system, ' were not read completely tonight.'), 'approver': NULL}
    WHEN x.authority_unread IS NOT NULL
      THEN {'disposition': 'hold', 'reason': concat('The ', x.entity, ' of ', x.authority, ', the source of truth, were not read completely tonight.'), 'approver': NULL}
    WHEN x.deaf_systems IS NOT NULL
      THEN {'disposition': 'hold', 'reason': concat('Opt-outs of ', x.deaf_systems, ' could not be read tonight, so no customer is written.'), 'approver': NULL}
    WHEN x.claim_count > 1 AND x.accepted_by IS NULL
      THEN {'disposition': 'hold', 'reason': 'Two corrections claim this value.', 'approver': NULL}
    WHEN x.answer = 'reject'
      THEN {'disposition': 'reject', 'reason': concat('Rejected by ', x.author, ': ', x.said), 'approver': NULL}
    WHEN x.answer = 'pin'
      THEN {'disposition': 'pin', 'reason': concat('Pinned by ', x.author, ' until ', strftime(x.until AT TIME ZONE 'UTC', '%Y-%m-%d'), ': ', x.said), 'approver': NULL}
    WHEN x.parked_reason IS NOT NULL
      THEN {'disposition': 'hold', 'reason': x.parked_reason, 'approver': NULL}
    WHEN x.accepted_by IS NOT NULL
      THEN {'disposition': 'approve', 'reason': concat(x.accepted_by, ' accepted the edited value.'), 'approver': x.accepted_by}
    WHEN x.answer = 'approve'
      THEN {'disposition': 'approve', 'reason': concat('Approved by ', x.author, ': ', x.said), 'approver': x.author}
    WHEN x.answer = 'accept-theirs'
      THEN {'disposition': 'hold', 'reason': concat(x.author, ' accepted the edited value, but the source of truth has no place to write it, or it was rolled back since.'), 'approver': NULL}
    WHEN x.entity = 'consents'
      THEN {'disposition': 'hold', 'reason': 'A permission is only raised by a person who has seen the proof.', 'approver': NULL}
    WHEN x.prior_days IS NOT NULL
      THEN {'disposition': 'hold', 'reason': concat('The "was" price would be above the lowest of the ', x.prior_days, ' days before the reduction (art. 6a of Directive 98/6/EC).'), 'approver': NULL}
    WHEN x.is_undone
      THEN {'disposition': 'hold', 'reason': 'What a parted person had got from the other is taken back by a person.', 'approver': NULL}
    WHEN x.action = 'approve'
      THEN {'disposition': 'approve', 'reason': concat('The policy approves ', x.place, ' under caps; ', x.moved, '.'), 'approver': 'policy'}
    ELSE {'disposition': 'hold', 'reason': concat('The policy holds ', x.place, ' for a person; ', x.moved, '.'), 'approver': NULL}
  END AS verdict
  FROM facts AS x
) AS f
