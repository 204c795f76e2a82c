-- grain: one level of one system beside the golden level of the same item and location
-- key: system, vendor_id, vendor_sub_id
-- why: the authority is held to on_hand, every other system to available; both are units, so nothing is converted
SELECT o.system, o.vendor_id, o.vendor_location_id AS vendor_sub_id, o.item_id AS subject_id, o.location_id AS subject_sub_id,
  CAST(NULL AS VARCHAR) AS currency, o.version, o.write_context AS context, g.authority, g.rule, g.reason,
  o.quantity AS on_hand_observed, CASE WHEN g.authority = o.system THEN g.on_hand END AS on_hand_desired,
  o.quantity AS available_observed, CASE WHEN g.authority <> o.system THEN g.available END AS available_desired,
  g.on_hand, g.safety
FROM observed.stock AS o
JOIN golden.stock AS g ON g.item_id = o.item_id AND g.location_id = o.location_id
