-- grain: one record and one other from which a person has parted it, both ways
-- key: system, vendor_id, other_system, other_id
-- why: what somebody who knows has said holds for every night until it is taken back, whether or not the records can be
--   seen tonight; of several words about one pair the youngest is the one that is told
SELECT w.system, w.vendor_id, w.other_system, w.other_id, w.author, w.reason, w.said_at, w.together_since, w.last_plan_at
FROM (
  SELECT a.taken_system AS system, a.taken_id AS vendor_id, a.kept_system AS other_system, a.kept_id AS other_id,
    a.author, a.reason, a.at AS said_at, a.together_since, a.last_plan_at, a.parting_id
  FROM ledger.identity.apart AS a
  ANTI JOIN ledger.identity.apart_undone AS u ON u.parting_id = a.parting_id
  UNION ALL
  SELECT a.kept_system, a.kept_id, a.taken_system, a.taken_id, a.author, a.reason, a.at, a.together_since, a.last_plan_at,
    a.parting_id
  FROM ledger.identity.apart AS a
  ANTI JOIN ledger.identity.apart_undone AS u ON u.parting_id = a.parting_id) AS w
QUALIFY row_number() OVER (
  PARTITION BY w.system, w.vendor_id, w.other_system, w.other_id ORDER BY w.said_at DESC, w.parting_id) = 1
