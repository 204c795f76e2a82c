-- grain: one price of one item in one mapped price list of one system, comparable with the list
-- key: system, vendor_id, vendor_price_list
-- why: only what can be compared is observed: a currency that is not the list's, or an unknown tax basis, is quarantined
--      (reconcile.price_faults), never guessed. Where the vendor does not say the basis, the estate's word counts.
SELECT m.system, m.vendor_id, p.vendor_price_list, m.item_id, l.price_list_id, p.currency, p.amount_minor AS amount,
  p.compare_at_minor AS compare_at, CASE WHEN p.tax_basis IN ('gross', 'net') THEN p.tax_basis ELSE l.tax_basis END AS tax_basis,
  p.tax_rate_bp, p.valid_until, p.version, p.write_context
FROM reconcile.item_matches AS m
JOIN staged.prices AS p ON p.system = m.system AND p.vendor_id = m.vendor_id
JOIN estate.price_lists AS l ON l.system = p.system AND l.vendor_price_list = p.vendor_price_list
WHERE p.currency = l.currency AND p.amount_minor IS NOT NULL
