-- check: No system shows a "was" price above the lowest that the item had there in the days before its reduction began (30 in the EU, art. 6a of Directive 98/6/EC).
-- table: reconcile.prior_prices
-- severity: warning
SELECT p.system, 'prices' AS entity, p.vendor_id, p.vendor_price_list
FROM reconcile.prior_prices AS p
WHERE NOT p.is_planned AND p.finding = 'above the lowest'
