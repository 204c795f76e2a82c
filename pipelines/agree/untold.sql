-- grain: one movement that the authority does not know of any more
-- key: system, movement_id
-- why: the level that told it was rolled back, and the vendor has taken that. Its word is enough, for it errs to the safe side:
--   units that are outstanding again are offered to nobody. Only what was settled by then; what was told again since stays
WITH written AS (
  SELECT o.plan_id, o.correction_key, arg_max(o.status, o.rowid) AS status
  FROM ledger.sync.outcomes AS o
  SEMI JOIN ledger.sync.untold AS u ON u.plan_id = o.plan_id AND u.correction_key = o.correction_key
  GROUP BY o.plan_id, o.correction_key
)
SELECT DISTINCT u.system, u.movement_id, m.settled_night
FROM ledger.sync.untold AS u
JOIN ledger.sync.plans AS p ON p.plan_id = u.plan_id
JOIN written AS w ON w.plan_id = u.plan_id AND w.correction_key = u.correction_key AND w.status = 'applied'
JOIN ledger.identity.movements AS m ON m.system = u.system AND m.movement_id = u.movement_id AND m.settled_by IS NULL
JOIN ledger.sync.nights AS n ON n.night_id = m.settled_night AND n.as_of <= p.as_of
