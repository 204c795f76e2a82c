-- grain: one value of an item that a system holds but that is in quarantine; '' as sub id: all of the entity
-- key: system, item_id, entity, vendor_sub_id
-- why: a value that cannot be read is not an absent one: while the source of truth holds it, nobody stands in for it.
--      The item of a record in quarantine is known by its binding. A promotion that cannot be read makes the
--      price unknown; one under a condition (members, a basket's worth, happy hours) leaves it as it is.
SELECT DISTINCT q.system, b.item_id, CASE WHEN q.entity = 'promotions' THEN 'prices' ELSE q.entity END AS entity,
  CASE WHEN q.entity IN ('items', 'promotions') THEN '' ELSE coalesce(q.vendor_sub_id, '') END AS vendor_sub_id
FROM staged.quarantine AS q
JOIN ledger.identity.items AS b ON b.system = q.system AND b.vendor_id = q.vendor_id
WHERE q.entity IN ('items', 'prices', 'promotions', 'stock', 'movements', 'holds')
  AND NOT (q.entity = 'promotions' AND q.field = 'condition')
