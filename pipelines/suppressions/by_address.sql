-- grain: one opt-out of tonight's early lane, over what was said at the address itself
-- key: plan_id, correction_key
-- why: which opt-outs went out before all else, where to, and what became of each; no address, no person
SELECT c.plan_id, c.correction_key, c.system, c.vendor_id, c.vendor_sub_id, c.subject_sub_id AS purpose, c.observed, c.desired,
  c.drift_class, c.disposition, c.disposition_reason, o.status AS outcome, v.status AS verification
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id AND p.lane = 'suppression'
JOIN estate.night AS n ON n.night_id = p.night_id
LEFT JOIN (
  SELECT x.plan_id, x.correction_key, arg_max(x.status, x.at) AS status
  FROM ledger.sync.outcomes AS x GROUP BY x.plan_id, x.correction_key
) AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
LEFT JOIN (
  SELECT y.plan_id, y.correction_key, arg_max(y.status, y.at) AS status
  FROM ledger.sync.verifications AS y GROUP BY y.plan_id, y.correction_key
) AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
