-- grain: one value to write to the source of truth because a person accepted another system's edit
-- key: correction_key
-- why: accept-theirs turns the correction round: the edited value becomes the truth, in the truth's own basis and terms
WITH asked AS (
  SELECT d.correction_key AS accepted_key, d.system AS edited_system, d.entity, d.field, d.vendor_id AS edited_id,
    d.vendor_sub_id AS edited_sub_id, d.subject_id, d.subject_sub_id, d.observed AS edited, d.desired AS golden,
    d.drift_class, d.authority, d.cost_minor, a.author, a.reason AS said
  FROM plan.drift AS d
  JOIN plan.answers AS a ON a.correction_key = d.correction_key AND a.answer = 'accept-theirs'
  WHERE d.authority <> d.system
), turned AS (
  SELECT q.accepted_key, o.vendor_id, o.vendor_price_list AS vendor_sub_id, o.currency, CAST(o.amount AS VARCHAR) AS observed,
    CASE
      WHEN o.currency IS DISTINCT FROM e.currency THEN NULL
      WHEN o.tax_basis = e.tax_basis THEN q.edited
      WHEN e.tax_basis = 'net' AND o.tax_basis = 'gross'
        THEN CAST(to_gross(TRY_CAST(q.edited AS BIGINT), coalesce(o.tax_rate_bp, e.tax_rate_bp)) AS VARCHAR)
      WHEN e.tax_basis = 'gross' AND o.tax_basis = 'net'
        THEN CAST(to_net(TRY_CAST(q.edited AS BIGINT), coalesce(o.tax_rate_bp, e.tax_rate_bp)) AS VARCHAR)
    END AS desired,
    CAST(o.version AS VARCHAR) AS version, CAST(o.write_context AS VARCHAR) AS context, o.amount AS old_minor
  FROM asked AS q
  JOIN observed.prices AS e
    ON e.system = q.edited_system AND e.vendor_id = q.edited_id AND e.vendor_price_list = q.edited_sub_id
  JOIN observed.prices AS o
    ON o.system = q.authority AND CAST(o.item_id AS VARCHAR) = q.subject_id AND o.price_list_id = q.subject_sub_id
  WHERE q.entity = 'prices' AND q.field = 'amount'
  UNION ALL
  SELECT q.accepted_key, o.vendor_id, o.vendor_location_id, NULL, CAST(o.quantity AS VARCHAR),
    CAST(g.on_hand + TRY_CAST(q.edited AS BIGINT) - TRY_CAST(q.golden AS BIGINT) AS VARCHAR),
    CAST(o.version AS VARCHAR), CAST(o.write_context AS VARCHAR), NULL
  FROM asked AS q
  JOIN golden.stock AS g ON CAST(g.item_id AS VARCHAR) = q.subject_id AND g.location_id = q.subject_sub_id
  JOIN observed.stock AS o
    ON o.system = q.authority AND CAST(o.item_id AS VARCHAR) = q.subject_id AND o.location_id = q.subject_sub_id
  WHERE q.entity = 'stock'
  UNION ALL
  SELECT q.accepted_key, o.vendor_id, '', NULL, o.gtin, q.edited,
    CAST(o.version AS VARCHAR), CAST(o.write_context AS VARCHAR), NULL
  FROM asked AS q
  JOIN observed.items AS o ON o.system = q.authority AND CAST(o.item_id AS VARCHAR) = q.subject_id
  WHERE q.entity = 'items' AND q.field = 'gtin'
  UNION ALL
  SELECT q.accepted_key, o.vendor_id, '', NULL,
    CASE q.field WHEN 'first_name' THEN o.first_name WHEN 'last_name' THEN o.last_name WHEN 'phone' THEN o.phone
      WHEN 'street' THEN o.street WHEN 'city' THEN o.city WHEN 'postcode' THEN o.postcode END,
    q.edited, CAST(o.version AS VARCHAR), CAST(o.write_context AS VARCHAR), NULL
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
  q.cost_minor, CAST(t.old_minor AS BIGINT) AS old_minor, NULL::TIMESTAMPTZ AS desired_until, q.accepted_key, q.author AS accepted_by
FROM turned AS t JOIN asked AS q ON q.accepted_key = t.accepted_key CROSS JOIN estate.night AS n
WHERE t.observed IS DISTINCT FROM t.desired
