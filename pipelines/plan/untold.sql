-- grain: one movement that the authority no longer knows of once a planned level is written
-- key: correction_key, system, movement_id
-- why: a level that told the authority of units is rolled back: its count is what it was without them, so they are
--   outstanding again, and nobody sells them a second time
SELECT DISTINCT d.correction_key, t.system, t.movement_id
FROM plan.decided AS d
JOIN reconcile.rollback_rows AS r ON r.state = 'restore' AND r.system = d.system AND r.entity = d.entity AND r.field = d.field
  AND r.vendor_id = d.vendor_id AND r.vendor_sub_id = d.vendor_sub_id
JOIN ledger.sync.told AS t ON t.plan_id = r.plan_id AND t.correction_key = r.correction_key
WHERE d.entity = 'stock' AND d.field = 'on_hand' AND d.rule = 'rollback'
