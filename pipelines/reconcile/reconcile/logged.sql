-- grain: one movement of which the authority has been told by a write that stands in its own log
-- key: system, movement_id
-- why: an answer can be lost and a run can die before the proof, and a sale or a return right after the write hides it
--      from whoever reads the level back. The log cannot be mistaken: a count of the planned level, first seen after the
--      plan that was sent there. Nor can its log of an order that it made itself for another system's: units that wait to be
--      collected, or were, and that its own count is already without. A level that was rolled back since has told it nothing.
SELECT m.system, m.movement_id
FROM staged.movements AS m
JOIN reconcile.holds AS h ON h.system = m.system AND h.hold_id = m.hold_id
JOIN ledger.identity.movements AS l ON l.system = m.system AND l.movement_id = m.movement_id
WHERE l.settled_night IS NULL AND h.authority <> m.system AND h.taken >= h.quantity AND m.kind = 'order'
UNION
SELECT m.system, m.movement_id
FROM ledger.identity.movements AS m
JOIN ledger.sync.told AS t ON t.system = m.system AND t.movement_id = m.movement_id
JOIN ledger.sync.corrections AS c ON c.plan_id = t.plan_id AND c.correction_key = t.correction_key
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
JOIN ledger.identity.movements AS g ON g.system = c.system AND g.vendor_id = c.vendor_id
  AND g.vendor_location_id = c.vendor_sub_id AND g.kind = 'count' AND CAST(g.quantity AS VARCHAR) = c.desired
  AND g.first_seen_at > p.as_of
WHERE m.settled_night IS NULL AND EXISTS (
  SELECT 1 FROM ledger.sync.intents AS i
  WHERE i.plan_id = t.plan_id AND i.correction_key = t.correction_key AND i.sent_at IS NOT NULL)
  AND NOT EXISTS (
    SELECT 1 FROM ledger.sync.untold AS u
    JOIN ledger.sync.plans AS q ON q.plan_id = u.plan_id AND q.as_of > p.as_of
    JOIN (
      SELECT x.plan_id, x.correction_key, arg_max(x.status, x.rowid) AS status FROM ledger.sync.outcomes AS x
      SEMI JOIN ledger.sync.untold AS z ON z.plan_id = x.plan_id AND z.correction_key = x.correction_key
      GROUP BY x.plan_id, x.correction_key
    ) AS o ON o.plan_id = u.plan_id AND o.correction_key = u.correction_key AND o.status IN ('applied', 'unknown')
    WHERE u.system = m.system AND u.movement_id = m.movement_id)
