-- grain: one movement of which the authority has been told by a write that stands in its own log
-- key: system, movement_id
-- why: an answer can be lost and a run can die before the proof, and a sale or a return right after the write hides it
--      from whoever reads the level back. The log cannot be mistaken: a count of the planned level, first seen after the
--      plan that was sent there.
SELECT DISTINCT m.system, m.movement_id
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
