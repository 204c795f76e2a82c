-- grain: one value to write back because a person has rolled back the plan that wrote it
-- key: system, entity, field, vendor_id, vendor_sub_id
-- why: a rollback is a plan like any other: the value from before is what is desired, ours what is observed; guards, checks and
--   canary see it like any row, and it is written only over the value that was seen. Approved by its author's word
--   (plan/answers.sql)
WITH restored AS (
  SELECT r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, r.currency, r.observed, r.before AS desired, r.plan_id, r.author,
    r.reason, r.said_at
  FROM reconcile.rollback_rows AS r
  WHERE r.state = 'restore'
  QUALIFY row_number() OVER (PARTITION BY r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id
    ORDER BY r.said_at DESC, r.plan_id DESC, r.correction_key) = 1
), placed AS (
  SELECT r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, o.item_id AS subject_id, o.price_list_id AS subject_sub_id,
    o.version, o.write_context AS context,
    CASE WHEN r.field = 'amount' AND i.cost_currency = o.currency
      THEN lowest_price(i.cost_minor, o.tax_basis, coalesce(o.tax_rate_bp, i.tax_rate_bp)) END AS cost_minor,
    CASE WHEN r.field = 'amount' THEN TRY_CAST(r.observed AS BIGINT) END AS old_minor
  FROM restored AS r
  JOIN observed.prices AS o ON o.system = r.system AND o.vendor_id = r.vendor_id AND o.vendor_price_list = r.vendor_sub_id
  LEFT JOIN golden.items AS i ON i.item_id = o.item_id
  WHERE r.entity = 'prices'
  UNION ALL
  SELECT r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, o.item_id, o.location_id, o.version, o.write_context, NULL, NULL
  FROM restored AS r
  JOIN observed.stock AS o ON o.system = r.system AND o.vendor_id = r.vendor_id AND o.vendor_location_id = r.vendor_sub_id
  WHERE r.entity = 'stock'
  UNION ALL
  SELECT r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, o.item_id, '', o.version, o.write_context, NULL, NULL
  FROM restored AS r
  JOIN observed.items AS o ON o.system = r.system AND o.vendor_id = r.vendor_id
  WHERE r.entity = 'items'
  UNION ALL
  SELECT r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, o.person_id, '', o.version,
    CASE WHEN g.country IS NULL THEN o.write_context
      ELSE CAST(json_merge_patch(coalesce(o.write_context, '{}'), json_object('country', g.country)) AS VARCHAR) END, NULL, NULL
  FROM restored AS r
  JOIN observed.customers AS o ON o.system = r.system AND o.vendor_id = r.vendor_id
  LEFT JOIN golden.customers AS g ON g.person_id = o.person_id
  WHERE r.entity = 'customers'
)
SELECT r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, p.subject_id, p.subject_sub_id, r.currency, r.observed,
  CAST(NULL AS VARCHAR) AS base, false AS has_base, r.desired, 'rule' AS drift_class, CAST(NULL AS VARCHAR) AS authority,
  'rollback' AS rule,
  concat(r.author, ' has rolled back plan ', r.plan_id, ' on ', strftime(timezone('UTC', r.said_at), '%Y-%m-%d'), ': ', r.reason) AS reason,
  p.version, p.context, CAST(p.cost_minor AS BIGINT) AS cost_minor, CAST(p.old_minor AS BIGINT) AS old_minor,
  CAST(NULL AS TIMESTAMPTZ) AS desired_until
FROM restored AS r
JOIN placed AS p ON p.system = r.system AND p.entity = r.entity AND p.field = r.field AND p.vendor_id = r.vendor_id
  AND p.vendor_sub_id = r.vendor_sub_id
