-- grain: one level of a system that is not its location's authority, beside the golden level
-- key: system, vendor_id, vendor_sub_id
-- why: every system but the authority is held to what can be sold. Both are units, so nothing is converted. Kept narrow,
--      for this is the join that grows: reasons are told of the few rows that differ (reconcile.stock_explained).
SELECT o.system, o.vendor_id, o.vendor_location_id AS vendor_sub_id, o.item_id AS subject_id, o.location_id AS subject_sub_id,
  CAST(NULL AS VARCHAR) AS currency, o.version, o.write_context AS context, g.authority, g.on_hand, o.quantity AS observed,
  g.available AS desired
FROM observed.stock AS o
JOIN golden.stock AS g ON g.item_id = o.item_id AND g.location_id = o.location_id
WHERE o.system <> g.authority
