-- grain: one price that cannot be compared with the golden one
-- key: system, vendor_id, vendor_sub_id
-- why: reported in quarantine, never guessed (R22): net and gross without a tax rate, and a price that is derived from
--      another currency by a rate whose days are over (in the estate's time zone): an old rate is refused
WITH night AS (
  SELECT max(n.as_of) AS as_of, max(n.timezone) AS timezone FROM estate.night AS n
), sides AS (
  SELECT o.system, o.vendor_id, o.vendor_price_list, o.tax_basis, g.authority, g.tax_basis AS golden_basis, g.tax_rate_bp,
    d.rate_units IS NOT NULL AND n.as_of >= timezone(n.timezone, CAST(d.rate_until AS TIMESTAMP)) AS is_old, d.told, d.rate_until
  FROM observed.prices AS o
  LEFT JOIN policy.derivations AS d ON d.system = o.system AND d.price_list_id = o.price_list_id
  JOIN golden.prices AS g ON g.item_id = o.item_id AND g.price_list_id = coalesce(d.from_list, o.price_list_id)
  CROSS JOIN night AS n
)
SELECT s.system, s.vendor_id, s.vendor_price_list AS vendor_sub_id, 'tax_rate_bp' AS field,
  concat('the price is ', s.tax_basis, ', that of ', s.authority, ' is ', s.golden_basis, ', and no system holds the tax rate') AS reason,
  'unknown tax rate' AS value_class
FROM sides AS s
WHERE s.tax_basis IS DISTINCT FROM s.golden_basis AND s.tax_rate_bp IS NULL
UNION ALL
SELECT s.system, s.vendor_id, s.vendor_price_list, 'rate',
  concat('the price is ', s.told, ', which held until the end of ', s.rate_until - 1, '; state a new rate in the policy'),
  'old rate of exchange'
FROM sides AS s
WHERE s.is_old AND NOT (s.tax_basis IS DISTINCT FROM s.golden_basis AND s.tax_rate_bp IS NULL)
