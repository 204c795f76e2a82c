-- grain: one record of a variant that cannot be told to be one item, with the reason
-- key: system, vendor_id
-- why: becomes quarantine; nothing of such a record is compared or pushed, and its prices are not believed either
SELECT r.system, r.vendor_id, r.fault_field AS field, r.fault AS reason, 'ambiguous' AS value_class
FROM reconcile.item_records AS r
WHERE r.fault IS NOT NULL
UNION ALL
SELECT c.system, c.vendor_id, 'item_id', c.fault, 'conflict'
FROM reconcile.item_claims AS c
WHERE c.fault IS NOT NULL
