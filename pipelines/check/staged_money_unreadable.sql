-- check: Staged prices and orders are in currencies whose minor units are known; prices are not negative nor above a million.
-- table: reads.verdicts
-- severity: blocking
SELECT p.system, 'prices' AS entity, p.vendor_id
FROM staged.prices AS p
WHERE currency_digits(p.currency) IS NULL OR p.amount_minor < 0 OR p.amount_minor > price_limit()
  OR p.compare_at_minor < 0 OR p.compare_at_minor > price_limit()
UNION ALL
SELECT o.system, 'orders', o.vendor_id
FROM staged.orders AS o
WHERE currency_digits(o.currency) IS NULL
