-- grain: one movement that a planned level takes off the authority's count
-- key: correction_key, system, movement_id
-- why: kept with the plan, for what is outstanding may be another by the time the level is written and proven; then the
--   authority has been told of these units and of no others. A rollback tells of none, unless it undoes a rollback: then of
--   those that this one had taken back
SELECT d.correction_key, o.system, o.movement_id
FROM plan.decided AS d
JOIN reconcile.outstanding AS o ON o.item_id = d.subject_id AND o.location_id = d.subject_sub_id
WHERE d.entity = 'stock' AND d.field = 'on_hand' AND o.term = 'fulfilled' AND d.rule IS DISTINCT FROM 'rollback'
UNION
SELECT d.correction_key, u.system, u.movement_id
FROM plan.decided AS d
JOIN reconcile.rollback_rows AS r ON r.state = 'restore' AND r.system = d.system AND r.entity = d.entity AND r.field = d.field
  AND r.vendor_id = d.vendor_id AND r.vendor_sub_id = d.vendor_sub_id
JOIN ledger.sync.untold AS u ON u.plan_id = r.plan_id AND u.correction_key = r.correction_key
WHERE d.entity = 'stock' AND d.field = 'on_hand' AND d.rule = 'rollback'
