-- grain: one level of a location's authority that has not been told of something, beside the golden level
-- key: system, vendor_id, vendor_sub_id
-- why: the rows of compared.stock in which an authority can differ: it is held to its own count less what was fulfilled
--      elsewhere, so golden alone knows where to look, and drift need not join the millions of other counts.
SELECT o.system, o.vendor_id, o.vendor_location_id AS vendor_sub_id, o.item_id AS subject_id, o.location_id AS subject_sub_id,
  CAST(NULL AS VARCHAR) AS currency, o.version, o.write_context AS context, g.authority, g.on_hand, o.quantity AS observed,
  g.on_hand AS desired
FROM golden.stock AS g
JOIN observed.stock AS o ON o.item_id = g.item_id AND o.location_id = g.location_id AND o.system = g.authority
WHERE g.fulfilled <> 0
