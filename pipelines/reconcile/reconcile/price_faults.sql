-- grain: one price in a mapped list that cannot be compared with it
-- key: system, vendor_id, vendor_sub_id
-- why: incomparable is reported and refused (R22); it freezes this price of the item wherever its system is the truth
SELECT p.system, p.vendor_id, p.vendor_price_list AS vendor_sub_id, 'currency' AS field,
  concat('the price is in ', coalesce(p.currency, 'no currency'), ' where the list ', l.price_list_id, ' is in ', l.currency) AS reason,
  'other currency' AS value_class
FROM staged.prices AS p
JOIN estate.price_lists AS l ON l.system = p.system AND l.vendor_price_list = p.vendor_price_list
WHERE p.currency IS DISTINCT FROM l.currency
