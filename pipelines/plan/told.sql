-- grain: one movement that a planned level takes off the authority's count
-- key: correction_key, system, movement_id
-- why: kept with the plan, for what is outstanding may be another by the time the level is written and proven; then the
--   authority has been told of these units and of no others
SELECT d.correction_key, o.system, o.movement_id
FROM plan.decided AS d
JOIN reconcile.outstanding AS o ON o.item_id = d.subject_id AND o.location_id = d.subject_sub_id
WHERE d.entity = 'stock' AND d.field = 'on_hand' AND o.term = 'fulfilled'
