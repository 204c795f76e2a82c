-- grain: one of tonight's corrections that an earlier plan of the estate already held
-- key: correction_key
-- why: "plans 0" means no new correction keys; a held row keeps the night since which it is held. A dry run plans for
--   nobody: what it alone has seen is still new
SELECT c.correction_key, min(p.as_of) FILTER (WHERE c.disposition IN ('hold', 'pin', 'reject')) AS held_since,
  bool_or(c.disposition = 'approve') AS was_approved
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN ledger.sync.nights AS t ON t.night_id = p.night_id
WHERE t.status IS DISTINCT FROM 'planned' AND c.correction_key IN (SELECT r.correction_key FROM plan.rows AS r)
GROUP BY c.correction_key
