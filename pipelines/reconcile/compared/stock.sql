-- grain: one level of one system beside the golden level of the same item and location
-- key: system, vendor_id, vendor_sub_id
-- why: the authority is held to on_hand, every other system to what can be sold, less the estate's buffer for that system
--      alone: of the item's category, else of any (as much of it as can be sold). Units both, so nothing is converted.
--      Kept narrow, for this is the join that grows: reasons are told of the few rows that differ
--      (reconcile.stock_explained).
SELECT o.system, o.vendor_id, o.vendor_location_id AS vendor_sub_id, o.item_id AS subject_id, o.location_id AS subject_sub_id,
  CAST(NULL AS VARCHAR) AS currency, o.version, o.write_context AS context, g.authority, g.on_hand, o.quantity AS observed,
  CASE WHEN g.authority = o.system THEN g.on_hand
    ELSE g.available - least(coalesce(b.units, w.units, 0), greatest(g.available, 0)) END AS desired
FROM observed.stock AS o
JOIN golden.stock AS g ON g.item_id = o.item_id AND g.location_id = o.location_id
LEFT JOIN reconcile.category_items AS c ON c.item_id = o.item_id
LEFT JOIN estate.buffers AS b ON b.system = o.system AND b.location_id = o.location_id AND fold_text(b.category) = c.category
LEFT JOIN estate.buffers AS w ON w.system = o.system AND w.location_id = o.location_id AND w.category = ''
