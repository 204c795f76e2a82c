-- check: Nothing is approved at a location or in a price list that the estate does not map.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.correction_key
FROM plan.decided AS d
WHERE d.disposition = 'approve' AND (
  (d.entity = 'stock' AND NOT EXISTS (
    SELECT 1 FROM estate.locations AS l WHERE l.system = d.system AND l.vendor_location_id = d.vendor_sub_id))
  OR (d.entity = 'prices' AND NOT EXISTS (
    SELECT 1 FROM estate.price_lists AS l WHERE l.system = d.system AND l.vendor_price_list = d.vendor_sub_id)))
