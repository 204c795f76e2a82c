-- grain: one record of one system that is known to be one item
-- key: system, vendor_id
-- why: every tree joins through this; a record that is not here is in quarantine with its reason
SELECT c.system, c.vendor_id, c.item_id, c.rule, c.is_new
FROM reconcile.item_claims AS c
WHERE c.fault IS NULL
