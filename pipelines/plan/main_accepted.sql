-- grain: one value to write to the source of truth because a person accepted another system's edit
-- key: correction_key
-- why: accept-theirs turns the correction round: the edited value becomes the truth, in the truth's own basis and terms.
--   A price that a promotion or a derivation made of the truth's own is not turned back: the row stays held
WITH asked AS (
  SELECT d.correction_key AS accepted_key, d.system AS edited_system, d.entity, d.field, d.vendor_id AS edited_id,
    d.vendor_sub_id AS edited_sub_id, d.subject_id, d.subject_sub_id, d.observed AS edited, d.desired AS golden,
    d.drift_class, d.authority, a.author, a.reason AS said, a.answered_at
  FROM plan.drift AS d
  JOIN plan.answers AS a ON a.correction_key = d.correction_key AND a.answer = 'accept-theirs'
  WHERE d.authority <> d.system AND (d.entity <> 'prices' OR d.rule = 'source of truth')
), priced AS (
  SELECT q.accepted_key, TRY_CAST(q.edited AS BIGINT) AS edited, e.currency AS edited_currency, e.tax_basis AS edited_basis,
    o.vendor_id, o.vendor_price_list, o.currency, o.amount, o.tax_basis, o.version, o.write_context,
    coalesce(o.tax_rate_bp, i.tax_rate_bp, e.tax_rate_bp) AS rate,
    CASE WHEN i.cost_currency = o.currency THEN i.cost_minor END AS cost,
    CASE WHEN e.tax_basis = 'net' THEN v.mode ELSE w.mode END AS mode
  FROM asked AS q
  JOIN observed.prices AS e
    ON e.system = q.edited_system AND e.vendor_id = q.edited_id AND e.vendor_price_list = q.edited_sub_id
  JOIN observed.prices AS o
    ON o.system = q.authority AND CAST(o.item_id AS VARCHAR) = q.subject_id AND o.price_list_id = q.subject_sub_id
  LEFT JOIN golden.items AS i ON i.item_id = o.item_id
  LEFT JOIN policy.roundings AS v ON v.system = e.system AND v.price_list_id = e.price_list_id
  LEFT JOIN policy.roundings AS w ON w.system = o.system AND w.price_list_id = o.price_list_id
  WHERE q.entity = 'prices' AND q.field = 'amount'
), turned AS (
  SELECT p.accepted_key, p.vendor_id, p.vendor_price_list AS vendor_sub_id, p.currency, CAST(p.amount AS VARCHAR) AS observed,
    CASE
      WHEN p.currency IS DISTINCT FROM p.edited_currency THEN NULL
      WHEN p.tax_basis = p.edited_basis THEN CAST(p.edited AS VARCHAR)
      WHEN p.edited_basis = 'net' AND p.tax_basis = 'gross' THEN CAST(gross_in(p.edited, p.rate, p.mode) AS VARCHAR)
      WHEN p.edited_basis = 'gross' AND p.tax_basis = 'net' THEN CAST(net_in(p.edited, p.rate, p.mode) AS VARCHAR)
    END AS desired,
    CAST(p.version AS VARCHAR) AS version, CAST(p.write_context AS VARCHAR) AS context,
    lowest_price(p.cost, p.tax_basis, p.rate) AS cost_minor, p.amount AS old_minor
  FROM priced AS p
  UNION ALL
  SELECT q.accepted_key, o.vendor_id, o.vendor_location_id, NULL, CAST(o.quantity AS VARCHAR),
    CAST(g.on_hand + TRY_CAST(q.edited AS BIGINT) - TRY_CAST(q.golden AS BIGINT) AS VARCHAR),
    CAST(o.version AS VARCHAR), CAST(o.write_context AS VARCHAR), NULL, NULL
  FROM asked AS q
  JOIN golden.stock AS g ON CAST(g.item_id AS VARCHAR) = q.subject_id AND g.location_id = q.subject_sub_id
  JOIN observed.stock AS o
    ON o.system = q.authority AND CAST(o.item_id AS VARCHAR) = q.subject_id AND o.location_id = q.subject_sub_id
  WHERE q.entity = 'stock'
  UNION ALL
  SELECT q.accepted_key, o.vendor_id, '', NULL, o.gtin, q.edited,
    CAST(o.version AS VARCHAR), CAST(o.write_context AS VARCHAR), NULL, NULL
  FROM asked AS q
  JOIN observed.items AS o ON o.system = q.authority AND CAST(o.item_id AS VARCHAR) = q.subject_id
  WHERE q.entity = 'items' AND q.field = 'gtin'
  UNION ALL
  SELECT q.accepted_key, o.vendor_id, '', NULL,
    CASE q.field WHEN 'first_name' THEN o.first_name WHEN 'last_name' THEN o.last_name WHEN 'phone' THEN o.phone
      WHEN 'street' THEN o.street WHEN 'city' THEN o.city WHEN 'postcode' THEN o.postcode
      WHEN 'loyalty_points' THEN o.loyalty_points END,
    q.edited, CAST(o.version AS VARCHAR), CAST(o.write_context AS VARCHAR), NULL, NULL
  FROM asked AS q
  JOIN observed.customers AS o ON o.system = q.authority AND CAST(o.person_id AS VARCHAR) = q.subject_id
  WHERE q.entity = 'customers'
)
SELECT correction_key(n.estate, q.authority, t.vendor_id, t.vendor_sub_id, q.entity,
    CASE WHEN q.entity = 'stock' THEN 'on_hand' ELSE q.field END, t.observed, t.desired, 'accept-theirs') AS correction_key,
  q.authority AS system, q.entity, CASE WHEN q.entity = 'stock' THEN 'on_hand' ELSE q.field END AS field, t.vendor_id, t.vendor_sub_id,
  q.subject_id, q.subject_sub_id, t.currency, t.observed, NULL::VARCHAR AS base, false AS has_base, t.desired, q.drift_class,
  q.authority, 'accept-theirs' AS rule,
  concat(q.author, ' took the value of ', q.edited_system, ' as the truth: ', q.said) AS reason, t.version, t.context,
  CAST(t.cost_minor AS BIGINT) AS cost_minor, CAST(t.old_minor AS BIGINT) AS old_minor, NULL::TIMESTAMPTZ AS desired_until,
  q.accepted_key, q.author AS accepted_by, q.answered_at
FROM turned AS t JOIN asked AS q ON q.accepted_key = t.accepted_key CROSS JOIN estate.night AS n
WHERE t.observed IS DISTINCT FROM t.desired
  AND NOT EXISTS (  -- rolled back since it was accepted: it is not written again for that old word
    SELECT 1 FROM reconcile.rollback_rows AS r
    WHERE r.stands AND r.said_at >= q.answered_at AND r.system = q.authority AND r.entity = q.entity
      AND r.field = CASE WHEN q.entity = 'stock' THEN 'on_hand' ELSE q.field END
      AND r.vendor_id = t.vendor_id AND r.vendor_sub_id = t.vendor_sub_id
      AND is_same_writing(t.observed, r.before) AND is_same_writing(t.desired, r.after))
