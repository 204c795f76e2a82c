-- grain: one statement about one value of the subject: who said it, what was decided, planned, approved, written, proved
-- key: none; ordered by entity, sub key, field, system and step
-- why: "why is this value what it is" is one query, answered from stored provenance alone
-- parameters: $word (SKU, GTIN, vendor id, e-mail, our id), $field and $system ('' = all)
WITH words AS (
  SELECT $word AS word, norm_sku($word) AS sku, norm_gtin($word) AS gtin, contact_point('email', norm_email($word)) AS point
), subjects AS (
  SELECT CAST(i.item_id AS VARCHAR) AS subject_id FROM ledger.identity.items AS i, words AS w
  WHERE i.sku_norm = w.sku OR i.gtin_norm = w.gtin OR i.vendor_id = w.word OR CAST(i.item_id AS VARCHAR) = w.word
  UNION
  SELECT CAST(p.person_id AS VARCHAR) FROM ledger.identity.persons AS p, words AS w
  WHERE p.vendor_id = w.word OR CAST(p.person_id AS VARCHAR) = w.word
  UNION
  SELECT CAST(p.person_id AS VARCHAR)
  FROM ledger.identity.persons AS p
  JOIN ledger.observed.consents AS c ON c.system = p.system AND c.vendor_id = p.vendor_id
  JOIN words AS w ON w.point = c.contact_point
  UNION
  SELECT w.point FROM words AS w WHERE w.point IS NOT NULL
  UNION
  SELECT c.contact_point FROM ledger.observed.consents AS c, words AS w WHERE c.vendor_id = w.word
), said AS (
  SELECT 'items' AS entity, 'gtin' AS field, o.system, o.vendor_id, CAST(o.item_id AS VARCHAR) AS subject_id, '' AS sub, o.gtin AS value
  FROM ledger.observed.items AS o
  UNION ALL
  SELECT 'prices', 'amount', o.system, o.vendor_id, CAST(o.item_id AS VARCHAR), o.price_list_id, CAST(o.amount AS VARCHAR) || ' ' || o.currency || ' ' || o.tax_basis
  FROM ledger.observed.prices AS o
  UNION ALL
  SELECT 'prices', 'compare_at', o.system, o.vendor_id, CAST(o.item_id AS VARCHAR), o.price_list_id, CAST(o.compare_at AS VARCHAR)
  FROM ledger.observed.prices AS o WHERE o.compare_at IS NOT NULL
  UNION ALL
  SELECT 'stock', 'quantity', o.system, o.vendor_id, CAST(o.item_id AS VARCHAR), o.location_id, CAST(o.quantity AS VARCHAR)
  FROM ledger.observed.stock AS o
  UNION ALL
  SELECT 'customers', c.f.field, c.system, c.vendor_id, CAST(c.person_id AS VARCHAR), '', c.f.value
  FROM (
    SELECT o.system, o.vendor_id, o.person_id, unnest([
      {'field': 'first_name', 'value': o.first_name}, {'field': 'last_name', 'value': o.last_name},
      {'field': 'phone', 'value': o.phone}, {'field': 'street', 'value': o.street},
      {'field': 'city', 'value': o.city}, {'field': 'postcode', 'value': o.postcode}]) AS f
    FROM ledger.observed.customers AS o
  ) AS c
  UNION ALL
  SELECT 'consents', 'state', o.system, o.vendor_id, o.contact_point, o.channel || ':' || o.purpose,
    o.state || CASE WHEN o.has_proof THEN ' (proven)' ELSE '' END
  FROM ledger.observed.consents AS o
), decided AS (
  SELECT 'prices' AS entity, 'amount' AS field, CAST(g.item_id AS VARCHAR) AS subject_id, g.price_list_id AS sub,
    CAST(g.amount AS VARCHAR) || ' ' || g.currency || ' ' || g.tax_basis AS value, g.authority, g.rule, g.reason
  FROM ledger.golden.prices AS g
  UNION ALL
  SELECT 'stock', 'available', CAST(g.item_id AS VARCHAR), g.location_id,
    concat(g.available, ' = ', g.on_hand, ' on hand - ', g.committed, ' committed - ', g.held, ' held - ', g.safety, ' safety'),
    g.authority, g.rule, g.reason
  FROM ledger.golden.stock AS g
  UNION ALL
  SELECT 'consents', 'state', g.contact_point, g.channel || ':' || g.purpose, g.state, g.authority, g.rule, g.reason
  FROM ledger.golden.consents AS g
  UNION ALL
  SELECT 'customers', c.f.field, CAST(c.person_id AS VARCHAR), '', c.f.value, c.f.authority, 'survivorship',
    'first non-blank by order of the policy'
  FROM (
    SELECT g.person_id, unnest([
      {'field': 'first_name', 'value': g.first_name, 'authority': g.first_name_authority},
      {'field': 'last_name', 'value': g.last_name, 'authority': g.last_name_authority},
      {'field': 'phone', 'value': g.phone, 'authority': g.phone_authority},
      {'field': 'street', 'value': g.street, 'authority': g.street_authority},
      {'field': 'city', 'value': g.city, 'authority': g.city_authority},
      {'field': 'postcode', 'value': g.postcode, 'authority': g.postcode_authority}]) AS f
    FROM ledger.golden.customers AS g
  ) AS c
), planned AS (
  SELECT c.* FROM ledger.sync.corrections AS c WHERE c.subject_id IN (SELECT s.subject_id FROM subjects AS s)
), statements AS (
  SELECT 1 AS step, 'said' AS what, NULL::TIMESTAMPTZ AS at, s.entity, s.field, s.system, s.vendor_id, s.subject_id, s.sub, s.value, '' AS detail
  FROM said AS s WHERE s.subject_id IN (SELECT x.subject_id FROM subjects AS x)
  UNION ALL
  SELECT 2, 'decided', NULL, d.entity, d.field, d.authority, '', d.subject_id, d.sub, d.value, concat_ws(': ', d.rule, d.reason)
  FROM decided AS d WHERE d.subject_id IN (SELECT x.subject_id FROM subjects AS x)
  UNION ALL
  SELECT 3, 'planned', p.created_at, c.entity, c.field, c.system, c.vendor_id, c.subject_id, c.subject_sub_id,
    concat(coalesce(c.observed, '∅'), ' → ', coalesce(c.desired, '∅')),
    concat_ws(' · ', c.drift_class, c.reason, c.disposition, c.disposition_reason, 'plan ' || c.plan_id)
  FROM planned AS c JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
  UNION ALL
  SELECT 4, 'approved', a.approved_at, c.entity, c.field, c.system, c.vendor_id, c.subject_id, c.subject_sub_id, a.approver, a.reason
  FROM planned AS c JOIN ledger.sync.approvals AS a ON a.plan_id = c.plan_id AND a.correction_key = c.correction_key
  UNION ALL
  SELECT 5, 'pushed', o.at, c.entity, c.field, c.system, c.vendor_id, c.subject_id, c.subject_sub_id, o.status, concat_ws(' ', o.code, o.message)
  FROM planned AS c JOIN ledger.sync.outcomes AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
  UNION ALL
  SELECT 6, 'verified', v.at, c.entity, c.field, c.system, c.vendor_id, c.subject_id, c.subject_sub_id, v.status, coalesce(v.value, '∅')
  FROM planned AS c JOIN ledger.sync.verifications AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
)
SELECT s.entity, s.field, s.sub, s.system, s.vendor_id, s.what, s.at, s.value, s.detail
FROM statements AS s
WHERE ($field = '' OR s.field = $field OR (s.entity = 'stock' AND $field IN ('available', 'on_hand', 'quantity')))
  AND ($system = '' OR s.system = $system OR s.what = 'decided')
ORDER BY s.entity, s.sub, s.field, s.step, s.at, s.system, s.vendor_id
