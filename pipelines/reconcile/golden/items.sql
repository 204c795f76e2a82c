-- grain: one item
-- key: item_id
-- why: survivorship, per fact: the first system in the order of the policy that holds the fact. A GTIN is frozen (NULL)
--      when a system that comes before its holder, or the holder, was not read whole: a stand-in is not believed then.
--      A kit anywhere is a kit. The rate and the cost serve prices; they are not compared.
WITH ranked AS (
  SELECT m.item_id, m.system, coalesce(s.rank, 1000) AS rank, i.sku_norm, i.gtin_norm, i.title, i.status, i.is_tracked, i.is_kit,
    i.tax_rate_bp, i.cost_minor, i.currency
  FROM reconcile.item_matches AS m
  JOIN staged.items AS i ON i.system = m.system AND i.vendor_id = m.vendor_id
  LEFT JOIN policy.sources AS s ON s.system = m.system AND s.entity = 'items' AND s.field = 'gtin'
), unread AS (
  SELECT min(s.rank) AS rank
  FROM policy.sources AS s
  LEFT JOIN reads.verdicts AS v ON v.system = s.system AND v.entity = 'items'
  WHERE s.entity = 'items' AND s.field = 'gtin' AND NOT coalesce(v.is_complete, false)
), chosen AS (
  SELECT r.item_id,
    arg_min(r.sku_norm, r.rank) AS sku,
    arg_min(r.gtin_norm, r.rank) AS gtin,
    min(r.rank) FILTER (r.gtin_norm IS NOT NULL) AS gtin_rank,
    arg_min(r.system, r.rank) FILTER (r.gtin_norm IS NOT NULL) AS gtin_system,
    arg_min(r.system, r.rank) AS first_system,
    arg_min(r.title, r.rank) AS title,
    arg_min(r.status, r.rank) AS status,
    arg_min(r.is_tracked, r.rank) AS is_tracked,
    bool_or(coalesce(r.is_kit, false)) AS is_kit,
    arg_min(r.tax_rate_bp, r.rank) AS tax_rate_bp,
    arg_min(r.cost_minor, r.rank) AS cost_minor,
    arg_min(r.currency, r.rank) FILTER (r.cost_minor IS NOT NULL) AS cost_currency
  FROM ranked AS r
  GROUP BY r.item_id
)
SELECT c.item_id, c.sku, CASE WHEN c.gtin_rank < coalesce(u.rank, 1001) THEN c.gtin END AS gtin, c.title, c.status, c.is_tracked,
  c.is_kit, c.tax_rate_bp, c.cost_minor, c.cost_currency, coalesce(c.gtin_system, c.first_system) AS authority,
  CASE WHEN c.gtin IS NULL THEN 'none' WHEN c.gtin_rank < coalesce(u.rank, 1001) THEN 'survivorship' ELSE 'frozen' END AS rule,
  CASE
    WHEN c.gtin IS NULL THEN 'No system holds a GTIN.'
    WHEN c.gtin_rank < coalesce(u.rank, 1001) THEN concat(c.gtin_system, ' is the first in the order of the policy that holds a GTIN.')
    ELSE 'A source of truth was not read whole tonight.'
  END AS reason
FROM chosen AS c
CROSS JOIN unread AS u
