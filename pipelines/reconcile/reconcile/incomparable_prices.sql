-- grain: one price that cannot be put on the tax basis of the golden one
-- key: system, vendor_id, vendor_sub_id
-- why: net and gross without a rate are incomparable (R22): reported in quarantine, never guessed
SELECT o.system, o.vendor_id, o.vendor_price_list AS vendor_sub_id, 'tax_rate_bp' AS field,
  concat('the price is ', o.tax_basis, ', that of ', g.authority, ' is ', g.tax_basis, ', and no system holds the tax rate') AS reason,
  'unknown tax rate' AS value_class
FROM observed.prices AS o
JOIN golden.prices AS g ON g.item_id = o.item_id AND g.price_list_id = o.price_list_id
WHERE o.tax_basis IS DISTINCT FROM g.tax_basis AND g.tax_rate_bp IS NULL
