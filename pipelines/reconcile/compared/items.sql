-- grain: one record of one item beside the golden item
-- key: system, vendor_id
-- why: what drift compares for items; a blank golden value corrects nothing
SELECT o.system, o.vendor_id, '' AS vendor_sub_id, o.item_id AS subject_id, '' AS subject_sub_id, CAST(NULL AS VARCHAR) AS currency,
  o.version, o.write_context AS context, g.authority, g.rule, g.reason, o.gtin AS gtin_observed, g.gtin AS gtin_desired
FROM observed.items AS o
JOIN golden.items AS g ON g.item_id = o.item_id
WHERE g.gtin IS NOT NULL
