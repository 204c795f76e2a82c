-- grain: one value whose last write has no known end
-- key: system, entity, field, vendor_id, vendor_sub_id
-- why: R1; it is read back before anything else is written there
WITH outcomes AS (
  SELECT o.plan_id, o.correction_key, arg_max(o.status, o.rowid) AS status FROM ledger.sync.outcomes AS o
  GROUP BY o.plan_id, o.correction_key
), open AS (
  SELECT i.plan_id, i.correction_key FROM ledger.sync.intents AS i WHERE i.state = 'sent'
  UNION
  SELECT o.plan_id, o.correction_key FROM outcomes AS o WHERE o.status = 'unknown'
)
SELECT DISTINCT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id
FROM open AS w JOIN ledger.sync.corrections AS c ON c.plan_id = w.plan_id AND c.correction_key = w.correction_key
