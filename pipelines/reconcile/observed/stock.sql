-- grain: one level of one item at one mapped location in one system
-- key: system, vendor_id, vendor_location_id
-- why: `quantity` is what is compared: what lies there (on_hand) in the location's authority, what can be sold (available)
--      elsewhere. Untracked, unknown and 0 are three things: the first two have no row. Kits are derived from their parts,
--      never counted, so a kit in any system has no row in any.
WITH kits AS (
  SELECT DISTINCT o.item_id FROM observed.items AS o WHERE o.is_kit
), levels AS (
  SELECT s.system, s.vendor_id, s.vendor_location_id, o.item_id, l.location_id, s.on_hand, s.committed, s.version, s.write_context,
    CASE WHEN r.authority = s.system THEN s.on_hand ELSE s.available END AS quantity
  FROM staged.stock AS s
  JOIN estate.locations AS l ON l.system = s.system AND l.vendor_location_id = s.vendor_location_id
  JOIN estate.stock_rules AS r ON r.location_id = l.location_id
  JOIN observed.items AS o ON o.system = s.system AND o.vendor_id = s.vendor_id
  WHERE coalesce(s.is_tracked, o.is_tracked, true) AND coalesce(o.is_tracked, true)
)
SELECT v.system, v.vendor_id, v.vendor_location_id, v.item_id, v.location_id, v.quantity, v.on_hand, v.committed, v.version,
  v.write_context
FROM levels AS v
WHERE v.quantity IS NOT NULL AND NOT EXISTS (SELECT 1 FROM kits AS k WHERE k.item_id = v.item_id)
