-- grain: correction; at most $most per disposition and entity, the riskiest and biggest, so that one entity cannot hide another,
--        and some of each decision, so that none is missing
-- why: `sku` and `title` are those of the item, its longest title, which is the one that names the option (a size, a colour)
WITH verified AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status, max(x.at) AS seen_at
  FROM ledger.sync.verifications AS x GROUP BY plan_id, correction_key
), pushed AS (
  SELECT plan_id, correction_key, arg_max(x.status, x.at) AS status, arg_max(x.code, x.at) AS code
  FROM ledger.sync.outcomes AS x GROUP BY plan_id, correction_key
), allowed AS (
  SELECT DISTINCT plan_id, correction_key FROM ledger.sync.approvals
), answered AS (
  SELECT correction_key, answer, arg_max(x.author, x.at) AS author, arg_max(x.until, x.at) AS until, max(x.at) AS answered_at
  FROM ledger.sync.answers AS x GROUP BY correction_key, answer
), named AS (
  SELECT CAST(item_id AS VARCHAR) AS item_id, arg_max(title, (length(title), title)) AS title
  FROM observed.items GROUP BY item_id
), numbered AS (
  SELECT CAST(item_id AS VARCHAR) AS item_id, min(sku) AS sku FROM golden.items GROUP BY item_id
), basis AS (
  SELECT system, vendor_id, vendor_price_list, min(tax_basis) AS tax_basis
  FROM observed.prices GROUP BY system, vendor_id, vendor_price_list
)
SELECT c.correction_key, c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.subject_sub_id, c.currency,
  c.observed, c.desired, c.base, c.has_base, c.drift_class, c.authority, c.rule, c.reason, c.risk, c.disposition,
  c.disposition_reason, c.is_releasable, c.held_since, c.is_new, p.lane, n.sku, i.title, b.tax_basis,
  o.status AS outcome, o.code AS outcome_code, v.status AS verification, v.seen_at, a.plan_id IS NOT NULL AS is_allowed,
  w.author AS answered_by, w.answered_at, w.until AS answered_until,
  CASE c.entity
    WHEN 'prices' THEN abs(TRY_CAST(c.desired AS DOUBLE) / nullif(TRY_CAST(c.observed AS DOUBLE), 0) - 1)
    WHEN 'stock' THEN abs(TRY_CAST(c.desired AS DOUBLE) - TRY_CAST(c.observed AS DOUBLE))
  END AS change_size,
  count(*) OVER (
    PARTITION BY c.disposition, c.entity, c.disposition_reason, a.plan_id IS NOT NULL OR o.status IS NOT NULL
  ) AS alike_count
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN pushed AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
LEFT JOIN verified AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
LEFT JOIN allowed AS a ON a.plan_id = c.plan_id AND a.correction_key = c.correction_key
LEFT JOIN answered AS w ON w.correction_key = c.correction_key AND w.answer = c.disposition
LEFT JOIN named AS i ON i.item_id = c.subject_id
LEFT JOIN numbered AS n ON n.item_id = c.subject_id
LEFT JOIN basis AS b ON c.entity = 'prices' AND b.system = c.system AND b.vendor_id = c.vendor_id
  AND b.vendor_price_list = c.vendor_sub_id
WHERE p.night_id = $night_id
QUALIFY row_number() OVER (
  PARTITION BY c.disposition, c.entity
  ORDER BY CASE c.risk WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, change_size DESC NULLS LAST, c.is_new DESC, c.correction_key
) <= $most OR ($most > 0 AND row_number() OVER (
  PARTITION BY c.disposition, c.entity, c.disposition_reason ORDER BY change_size DESC NULLS LAST, c.correction_key
) <= 5)
ORDER BY c.disposition, CASE c.risk WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, change_size DESC NULLS LAST,
  c.system, c.entity, c.field, c.correction_key
