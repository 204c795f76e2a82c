-- grain: one "was" price of one system: shown now (is_planned false), or to be shown once golden is written (true)
-- key: system, vendor_id, vendor_price_list, is_planned
-- why: a reduction may be announced against no more than the lowest price of the days before it began (policy.prior_prices;
--      30 in the EU, art. 6a of Directive 98/6/EC). What a price was is ledger.history.prices: seen in a whole read or
--      proven by a read-back, so a write that nobody has confirmed is no price. The reduction began where "was" was first
--      above the price; while the price only falls it is the same one and keeps the prior price of its first step; where
--      it rises, another begins. What is planned begins tonight, unless it goes on with the one that is shown. The lowest
--      is that of the item in this list of this system, whichever records it had. A price known to be lower is one,
--      however short the history; where the history is too short to find any, that is said and nothing is flagged.
--      `field` is the correction that would show it: compare_at, or amount where "was" is there and only the price falls.
WITH targets AS (
  SELECT t.system FROM policy.targets AS t WHERE t.entity = 'prices' AND t.field = 'compare_at' GROUP BY t.system
), wanted AS (
  SELECT o.system, o.vendor_id, o.vendor_price_list, o.item_id, o.price_list_id, o.currency, false AS is_planned,
    CAST(NULL AS VARCHAR) AS field, o.amount, o.compare_at AS was, o.amount AS amount_now, o.compare_at AS was_now
  FROM observed.prices AS o
  WHERE o.compare_at > o.amount
  UNION ALL
  SELECT c.system, c.vendor_id, c.vendor_sub_id, c.subject_id, c.subject_sub_id, c.currency, true,
    CASE WHEN c.compare_at_desired IS DISTINCT FROM c.compare_at_observed THEN 'compare_at' ELSE 'amount' END,
    c.amount_desired, c.compare_at_desired, c.amount_observed, c.compare_at_observed
  FROM compared.prices AS c
  JOIN targets AS t ON t.system = c.system
  WHERE c.compare_at_desired > c.amount_desired AND (c.compare_at_desired IS DISTINCT FROM c.compare_at_observed
    OR (c.amount_desired < c.amount_observed AND c.compare_at_observed <= c.amount_observed))
), asked AS (
  SELECT w.system, w.vendor_id, w.vendor_price_list, w.item_id, w.price_list_id, w.currency, w.is_planned, w.field, w.amount, w.was,
    w.amount_now, w.was_now, coalesce(p.days, 30) AS days, n.as_of, n.timezone
  FROM wanted AS w
  CROSS JOIN estate.night AS n
  LEFT JOIN policy.prior_prices AS p ON p.price_list_id = w.price_list_id
  WHERE coalesce(p.days, 30) > 0
), past AS (
  SELECT h.system, h.vendor_id, h.vendor_price_list, coalesce(m.item_id, h.item_id) AS item_id, h.currency, h.amount, h.compare_at,
    h.first_seen_at, h.last_confirmed_at
  FROM ledger.history.prices AS h
  LEFT JOIN reconcile.item_matches AS m ON m.system = h.system AND m.vendor_id = h.vendor_id
  WHERE h.amount IS NOT NULL
), held AS (
  SELECT a.system, a.vendor_id, a.vendor_price_list, a.is_planned, p.vendor_id AS held_by, p.currency, p.amount, p.compare_at,
    p.first_seen_at, p.last_confirmed_at
  FROM asked AS a
  JOIN past AS p ON p.system = a.system AND p.vendor_price_list = a.vendor_price_list AND p.item_id = a.item_id
    AND p.first_seen_at < a.as_of
  UNION ALL
  SELECT a.system, a.vendor_id, a.vendor_price_list, a.is_planned, a.vendor_id, a.currency, a.amount_now, a.was_now, a.as_of, a.as_of
  FROM asked AS a
  UNION ALL
  SELECT a.system, a.vendor_id, a.vendor_price_list, true, a.vendor_id, a.currency, a.amount, a.was,
    a.as_of + INTERVAL 1 MICROSECOND, a.as_of + INTERVAL 1 MICROSECOND
  FROM asked AS a WHERE a.is_planned
), steps AS (
  SELECT h.system, h.vendor_id, h.vendor_price_list, h.is_planned, h.first_seen_at,
    coalesce(h.compare_at > h.amount, false) AND NOT coalesce(
      lag(h.compare_at > h.amount) OVER one AND lag(h.currency) OVER one = h.currency AND lag(h.amount) OVER one >= h.amount, false)
      AS begins
  FROM held AS h
  WHERE h.held_by = h.vendor_id
  WINDOW one AS (PARTITION BY h.system, h.vendor_id, h.vendor_price_list, h.is_planned ORDER BY h.first_seen_at)
), begun AS (
  SELECT s.system, s.vendor_id, s.vendor_price_list, s.is_planned, max(s.first_seen_at) AS began_at
  FROM steps AS s WHERE s.begins
  GROUP BY s.system, s.vendor_id, s.vendor_price_list, s.is_planned
), found AS (
  SELECT b.system, b.vendor_id, b.vendor_price_list, b.is_planned, b.began_at, min(h.first_seen_at) AS known_since,
    min({'amount': h.amount, 'before': b.began_at - h.last_confirmed_at, 'last_at': h.last_confirmed_at})
      FILTER (h.last_confirmed_at >= b.began_at - to_days(CAST(a.days AS INTEGER))) AS lowest
  FROM begun AS b
  JOIN asked AS a ON a.system = b.system AND a.vendor_id = b.vendor_id AND a.vendor_price_list = b.vendor_price_list
    AND a.is_planned = b.is_planned
  LEFT JOIN held AS h ON h.system = b.system AND h.vendor_id = b.vendor_id AND h.vendor_price_list = b.vendor_price_list
    AND h.is_planned = b.is_planned AND h.currency = a.currency AND h.first_seen_at < b.began_at
  GROUP BY b.system, b.vendor_id, b.vendor_price_list, b.is_planned, b.began_at
), judged AS (
  SELECT a.system, a.vendor_id, a.vendor_price_list, a.item_id, a.price_list_id, a.currency, a.is_planned, a.field, a.amount, a.was,
    a.days, f.lowest.amount AS lowest, CAST(timezone(a.timezone, f.lowest.last_at) AS DATE) AS lowest_on, f.began_at,
    CAST(timezone(a.timezone, f.began_at) AS DATE) AS began_on, f.known_since,
    CAST(timezone(a.timezone, coalesce(f.known_since, f.began_at)) AS DATE) AS known_on,
    CASE WHEN a.was > f.lowest.amount THEN 'above the lowest'
      WHEN coalesce(f.known_since <= f.began_at - to_days(CAST(a.days AS INTEGER)), false) THEN 'allowed'
      ELSE 'history too short' END AS finding
  FROM asked AS a
  JOIN found AS f ON f.system = a.system AND f.vendor_id = a.vendor_id AND f.vendor_price_list = a.vendor_price_list
    AND f.is_planned = a.is_planned
)
SELECT j.system, j.vendor_id, j.vendor_price_list, j.item_id, j.price_list_id, j.currency, j.is_planned, j.field, j.amount, j.was,
  j.days, j.lowest, j.lowest_on, j.began_at, j.known_since, j.finding,
  CASE j.finding
    WHEN 'above the lowest' THEN concat('"was" ', as_decimal(j.was, j.currency), ' ', j.currency, ' is above the lowest price of the ', j.days,
      ' days before the reduction of ', j.began_on, ': it cost ', as_decimal(j.lowest, j.currency), ' ', j.currency, ', last on ',
      j.lowest_on)
    WHEN 'history too short' THEN concat('whether "was" ', as_decimal(j.was, j.currency), ' ', j.currency, ' is the lowest price of the ',
      j.days, ' days before the reduction cannot be told: its price is known since ', j.known_on)
    ELSE concat('"was" ', as_decimal(j.was, j.currency), ' ', j.currency, ' is not above the lowest price of the ', j.days,
      ' days before the reduction of ', j.began_on, ', ', as_decimal(j.lowest, j.currency), ' ', j.currency)
  END AS reason
FROM judged AS j
