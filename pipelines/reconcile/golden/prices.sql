-- grain: one item in one of our price lists
-- key: item_id, price_list_id
-- why: the price of the first system, in the order of the policy, that holds one in this list, in that system's own
--      currency and tax basis. `amount` is what the item sells for tonight; on a day of a promotion that is the reduced
--      price and `compare_at` the list price: what is taken off is rounded as that system rounds (policy.roundings). Days are the estate's own: both ends of a promotion included.
--      `desired_until` is the midnight at which the next one begins or ends, or the moment at which the source's own
--      scheduled sale does: what is worked out here is right until then.
--      Nobody stands in for a source that was not read whole, or whose price of this item is in quarantine: frozen, no row.
WITH sources AS (
  SELECT s.system, s.rank, coalesce(bool_and(v.is_complete), false) AND count(v.entity) = 2 AS is_read
  FROM policy.sources AS s
  LEFT JOIN reads.verdicts AS v ON v.system = s.system AND v.entity IN ('items', 'prices')
  WHERE s.entity = 'prices' AND s.field = 'amount'
  GROUP BY s.system, s.rank
), unread AS (
  SELECT l.price_list_id, min(s.rank) AS rank
  FROM sources AS s JOIN estate.price_lists AS l ON l.system = s.system
  WHERE NOT s.is_read
  GROUP BY l.price_list_id
), blocked AS (
  SELECT b.item_id, l.price_list_id, min(s.rank) AS rank
  FROM reconcile.blocked AS b
  JOIN sources AS s ON s.system = b.system
  JOIN estate.price_lists AS l ON l.system = b.system AND b.vendor_sub_id IN ('', l.vendor_price_list)
  WHERE b.entity IN ('items', 'prices')
  GROUP BY b.item_id, l.price_list_id
), chosen AS (
  SELECT p.item_id, p.price_list_id, min(s.rank) AS rank,
    arg_min({
      'system': p.system, 'vendor_id': p.vendor_id, 'currency': p.currency, 'amount': p.amount, 'compare_at': p.compare_at,
      'tax_basis': p.tax_basis, 'tax_rate_bp': p.tax_rate_bp, 'valid_until': p.valid_until}, s.rank) AS best
  FROM observed.prices AS p
  JOIN sources AS s ON s.system = p.system
  GROUP BY p.item_id, p.price_list_id
), promotions AS (
  SELECT m.system, m.vendor_id, m.percent, m.ends_on, m.starts_on <= d.today AS is_on,
    timezone(d.timezone, CAST(CASE WHEN m.starts_on > d.today THEN m.starts_on ELSE m.ends_on + 1 END AS TIMESTAMP)) AS turns_at
  FROM staged.promotions AS m
  CROSS JOIN (
    SELECT n.timezone, CAST(timezone(n.timezone, n.as_of) AS DATE) AS today FROM estate.night AS n) AS d
  WHERE m.starts_on <= m.ends_on AND m.ends_on >= d.today AND m.percent BETWEEN 1 AND 99
), promoted AS (
  SELECT p.system, p.vendor_id, max(p.percent) FILTER (p.is_on) AS percent, max(p.ends_on) FILTER (p.is_on) AS ends_on,
    min(p.turns_at) AS desired_until
  FROM promotions AS p
  GROUP BY p.system, p.vendor_id
)
SELECT c.item_id, c.price_list_id, c.best.currency AS currency,
  CASE WHEN r.percent IS NULL THEN c.best.amount
    ELSE c.best.amount - CAST(rounded(CAST(c.best.amount AS HUGEINT) * r.percent, 100, w.mode) AS BIGINT) END AS amount,
  CASE WHEN r.percent IS NULL THEN c.best.compare_at ELSE c.best.amount END AS compare_at,
  c.best.tax_basis AS tax_basis, coalesce(c.best.tax_rate_bp, i.tax_rate_bp) AS tax_rate_bp, c.best.system AS authority,
  CASE WHEN r.percent IS NULL THEN 'source of truth' ELSE 'promotion' END AS rule,
  CASE WHEN r.percent IS NULL THEN concat(c.best.system, ' sets the price of the list ', c.price_list_id)
    ELSE concat(c.best.system, ' sets the price of the list ', c.price_list_id, ', ', r.percent, ' % off until ',
      strftime(r.ends_on, '%Y-%m-%d')) END AS reason,
  least(r.desired_until, c.best.valid_until) AS desired_until
FROM chosen AS c
LEFT JOIN unread AS u ON u.price_list_id = c.price_list_id
LEFT JOIN blocked AS b ON b.item_id = c.item_id AND b.price_list_id = c.price_list_id
LEFT JOIN promoted AS r ON r.system = c.best.system AND r.vendor_id = c.best.vendor_id
LEFT JOIN golden.items AS i ON i.item_id = c.item_id
LEFT JOIN policy.roundings AS w ON w.system = c.best.system AND w.price_list_id = c.price_list_id
WHERE coalesce(u.rank > c.rank, true) AND coalesce(b.rank > c.rank, true)
