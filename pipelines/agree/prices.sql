-- grain: one price of one system with what is proven about it tonight
-- key: system, vendor_id, vendor_price_list
-- why: `fields` names what is proven; only these move
WITH targets AS (
  SELECT t.system, list(t.field) AS fields FROM agree.comparable AS t WHERE t.entity = 'prices' GROUP BY t.system
), equal AS (
  SELECT c.system, c.vendor_id, c.vendor_sub_id, c.subject_id, c.subject_sub_id, c.currency, c.amount_observed AS amount,
    c.compare_at_observed AS compare_at,
    list_filter(t.fields, lambda f: NOT list_contains(coalesce(d.fields, []), f)) AS fields
  FROM compared.prices AS c
  JOIN targets AS t ON t.system = c.system
  LEFT JOIN agree.drifted AS d
    ON d.system = c.system AND d.entity = 'prices' AND d.vendor_id = c.vendor_id AND d.vendor_sub_id = c.vendor_sub_id
), written AS (
  SELECT w.system, w.vendor_id, w.vendor_sub_id, any_value(w.subject_id) AS subject_id, any_value(w.subject_sub_id) AS subject_sub_id,
    any_value(w.currency) AS currency, max(CASE WHEN w.field = 'amount' THEN CAST(w.desired AS BIGINT) END) AS amount,
    max(CASE WHEN w.field = 'compare_at' THEN CAST(w.desired AS BIGINT) END) AS compare_at, list(w.field) AS fields
  FROM agree.written AS w WHERE w.entity = 'prices' AND w.is_undone IS NOT TRUE
  GROUP BY w.system, w.vendor_id, w.vendor_sub_id
), joined AS (
  SELECT coalesce(w.system, e.system) AS system, coalesce(w.vendor_id, e.vendor_id) AS vendor_id,
    coalesce(w.vendor_sub_id, e.vendor_sub_id) AS vendor_price_list, coalesce(w.subject_id, e.subject_id) AS item_id,
    coalesce(w.subject_sub_id, e.subject_sub_id) AS price_list_id, coalesce(w.currency, e.currency) AS currency,
    CASE WHEN list_contains(w.fields, 'amount') THEN w.amount ELSE e.amount END AS amount,
    CASE WHEN list_contains(w.fields, 'compare_at') THEN w.compare_at ELSE e.compare_at END AS compare_at,
    list_sort(list_distinct(list_concat(coalesce(e.fields, []), coalesce(w.fields, [])))) AS fields
  FROM equal AS e
  FULL JOIN written AS w ON w.system = e.system AND w.vendor_id = e.vendor_id AND w.vendor_sub_id = e.vendor_sub_id
)
SELECT j.system, j.vendor_id, j.vendor_price_list, j.item_id, j.price_list_id, j.currency, j.amount, j.compare_at, j.fields
FROM joined AS j WHERE len(j.fields) > 0
