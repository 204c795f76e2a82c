-- grain: one level of one system with what is proven about it tonight
-- key: system, vendor_id, vendor_location_id
-- why: the level on which the system and golden agree: on_hand in the location's authority, available elsewhere. What was
--   written was true as of the night that planned it, whenever it was proven: what has been seen to move since came on top
WITH equal AS (
  SELECT o.system, o.vendor_id, o.vendor_location_id AS vendor_sub_id, o.item_id AS subject_id, o.location_id AS subject_sub_id,
    o.quantity
  FROM observed.stock AS o
  JOIN golden.stock AS g ON g.item_id = o.item_id AND g.location_id = o.location_id
  JOIN agree.comparable AS t ON t.system = o.system AND t.entity = 'stock'
    AND t.field = CASE WHEN o.system = g.authority THEN 'on_hand' ELSE 'available' END
  LEFT JOIN agree.drifted AS d
    ON d.system = o.system AND d.entity = 'stock' AND d.vendor_id = o.vendor_id AND d.vendor_sub_id = o.vendor_location_id
  WHERE d.system IS NULL
), written AS (
  SELECT w.system, w.vendor_id, w.vendor_sub_id, w.subject_id, w.subject_sub_id, CAST(w.desired AS BIGINT) AS quantity,
    w.planned_as_of
  FROM agree.written AS w WHERE w.entity = 'stock' AND w.is_undone IS NOT TRUE
)
SELECT e.system, e.vendor_id, e.vendor_sub_id AS vendor_location_id, e.subject_id AS item_id, e.subject_sub_id AS location_id,
  e.quantity, ['quantity'] AS fields,
  CAST(NULL AS TIMESTAMPTZ) AS planned_as_of
FROM equal AS e
WHERE NOT EXISTS (
  SELECT 1 FROM written AS w WHERE w.system = e.system AND w.vendor_id = e.vendor_id AND w.vendor_sub_id = e.vendor_sub_id)
UNION ALL
SELECT w.system, w.vendor_id, w.vendor_sub_id, w.subject_id, w.subject_sub_id, w.quantity, ['quantity'], w.planned_as_of
FROM written AS w
