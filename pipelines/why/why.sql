-- grain: one statement about one value of the subject: who said it, what was decided, planned, approved, written, proved
-- key: none; ordered by entity, sub key, field, system and step
-- why: "why is this value what it is" is one query, answered from stored provenance alone
-- parameters: $word (SKU, GTIN, vendor id, e-mail, our id), $entity and $system ('' = all), $fields ([] = all)
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
), records AS (
  SELECT i.system, i.vendor_id, CAST(i.item_id AS VARCHAR) AS subject_id FROM ledger.identity.items AS i
  UNION
  SELECT p.system, p.vendor_id, CAST(p.person_id AS VARCHAR) FROM ledger.identity.persons AS p
), read_at AS (
  -- When each system last told all of an entity: what it said then stands until the next read that says otherwise.
  SELECT r.system, r.entity, max(r.finished_at) AS at
  FROM (
    SELECT x.system, unnest(x.entities) AS entity, x.finished_at FROM ledger.sync.reads AS x WHERE x.is_complete) AS r
  GROUP BY r.system, r.entity
), said AS (
  SELECT 'items' AS entity, 'gtin' AS field, o.system, o.vendor_id, CAST(o.item_id AS VARCHAR) AS subject_id, '' AS sub, o.gtin AS value, NULL::VARCHAR AS currency, '' AS detail
  FROM ledger.observed.items AS o
  UNION ALL
  SELECT 'items', 'assortment', a.system, coalesce(a.vendor_id, ''), a.item_id, '', a.state, NULL,
    concat_ws(', ', a.reason, CASE WHEN a.proof IS NOT NULL
      THEN concat('by the ', a.proof, ' of ', strftime(timezone('UTC', a.proved_at), '%Y-%m-%d %H:%M')) END)
  FROM assortment AS a
  UNION ALL
  SELECT 'prices', 'amount', o.system, o.vendor_id, CAST(o.item_id AS VARCHAR), o.price_list_id, CAST(o.amount AS VARCHAR), o.currency,
    concat_ws(', ', o.tax_basis, 'since ' || strftime(timezone('UTC', h.first_seen_at), '%Y-%m-%d %H:%M'))
  FROM ledger.observed.prices AS o
  LEFT JOIN (
    SELECT x.system, x.vendor_id, x.vendor_price_list, arg_max(x.first_seen_at, x.last_confirmed_at) AS first_seen_at,
      arg_max(x.amount, x.last_confirmed_at) AS amount
    FROM ledger.history.prices AS x GROUP BY x.system, x.vendor_id, x.vendor_price_list) AS h
    ON h.system = o.system AND h.vendor_id = o.vendor_id AND h.vendor_price_list = o.vendor_price_list AND h.amount = o.amount
  UNION ALL
  SELECT 'prices', 'compare_at', o.system, o.vendor_id, CAST(o.item_id AS VARCHAR), o.price_list_id, CAST(o.compare_at AS VARCHAR), o.currency,
    concat_ws(', ', o.tax_basis, p.reason)
  FROM ledger.observed.prices AS o
  LEFT JOIN prior_prices AS p ON p.system = o.system AND p.vendor_id = o.vendor_id AND p.vendor_price_list = o.vendor_price_list AND NOT p.is_planned
  WHERE o.compare_at IS NOT NULL
  UNION ALL
  SELECT 'stock', 'quantity', o.system, o.vendor_id, CAST(o.item_id AS VARCHAR), o.location_id, CAST(o.quantity AS VARCHAR), NULL, ''
  FROM ledger.observed.stock AS o
  UNION ALL
  SELECT 'customers', c.f.field, c.system, c.vendor_id, CAST(c.person_id AS VARCHAR), '', c.f.value, NULL, ''
  FROM (
    SELECT o.system, o.vendor_id, o.person_id, unnest([
      {'field': 'first_name', 'value': o.first_name}, {'field': 'last_name', 'value': o.last_name},
      {'field': 'phone', 'value': o.phone}, {'field': 'street', 'value': o.street},
      {'field': 'city', 'value': o.city}, {'field': 'postcode', 'value': o.postcode},
      {'field': 'loyalty_points', 'value': o.loyalty_points}]) AS f
    FROM ledger.observed.customers AS o
  ) AS c
  UNION ALL
  SELECT 'consents', 'state', o.system, o.vendor_id, o.contact_point, o.channel || ':' || o.purpose,
    o.state, NULL,
    concat_ws(', ', CASE WHEN o.has_proof THEN 'proven' END,
      'since ' || strftime(timezone('UTC', e.changed_at), '%Y-%m-%d %H:%M') || ' by its own word',
      'first seen ' || strftime(timezone('UTC', e.seen_at), '%Y-%m-%d %H:%M'))
  FROM ledger.observed.consents AS o
  LEFT JOIN (
    SELECT x.system, x.vendor_id, x.contact_point, x.channel, x.purpose, arg_max(x.state, x.seen_at) AS state,
      arg_max(x.changed_at, x.seen_at) AS changed_at, max(x.seen_at) AS seen_at
    FROM ledger.identity.consent_events AS x GROUP BY ALL) AS e
    ON e.system = o.system AND e.vendor_id = o.vendor_id AND e.contact_point = o.contact_point AND e.channel = o.channel
      AND e.purpose = o.purpose AND e.state = o.state
), agreed AS (
  SELECT 'items' AS entity, a.system, a.vendor_id, CAST(a.item_id AS VARCHAR) AS subject_id, '' AS sub,
    NULL::VARCHAR AS currency, a.fields, a.agreed_at, a.night_id, [{'field': 'gtin', 'value': a.gtin}] AS held
  FROM ledger.agreed.items AS a
  UNION ALL
  SELECT 'prices', a.system, a.vendor_id, CAST(a.item_id AS VARCHAR), a.price_list_id, a.currency, a.fields, a.agreed_at, a.night_id,
    [{'field': 'amount', 'value': CAST(a.amount AS VARCHAR)}, {'field': 'compare_at', 'value': CAST(a.compare_at AS VARCHAR)}]
  FROM ledger.agreed.prices AS a
  UNION ALL
  SELECT 'stock', a.system, a.vendor_id, CAST(a.item_id AS VARCHAR), a.location_id, NULL, a.fields, a.agreed_at, a.night_id,
    list_transform(a.fields, lambda f: {'field': f, 'value': CAST(a.quantity AS VARCHAR)})
  FROM ledger.agreed.stock AS a
  UNION ALL
  SELECT 'customers', a.system, a.vendor_id, CAST(a.person_id AS VARCHAR), '', NULL, a.fields, a.agreed_at, a.night_id, [
      {'field': 'first_name', 'value': a.first_name}, {'field': 'last_name', 'value': a.last_name},
      {'field': 'phone', 'value': a.phone}, {'field': 'street', 'value': a.street},
      {'field': 'city', 'value': a.city}, {'field': 'postcode', 'value': a.postcode},
      {'field': 'loyalty_points', 'value': a.loyalty_points}]
  FROM ledger.agreed.customers AS a
  UNION ALL
  SELECT 'consents', a.system, a.vendor_id, a.contact_point, a.channel || ':' || a.purpose, NULL, a.fields, a.agreed_at,
    a.night_id, [{'field': 'state', 'value': a.state}]
  FROM ledger.agreed.consents AS a
), bases AS (
  SELECT x.entity, x.held_field.field AS field, x.system, x.vendor_id, x.subject_id, x.sub, x.held_field.value AS value,
    x.currency, x.agreed_at, x.night_id
  FROM (
    SELECT a.entity, a.system, a.vendor_id, a.subject_id, a.sub, a.currency, a.fields, a.agreed_at, a.night_id,
      unnest(a.held) AS held_field
    FROM agreed AS a WHERE a.subject_id IN (SELECT s.subject_id FROM subjects AS s)) AS x
  WHERE list_contains(x.fields, x.held_field.field)
), decided AS (
  SELECT 'prices' AS entity, 'amount' AS field, CAST(g.item_id AS VARCHAR) AS subject_id, g.price_list_id AS sub,
    CAST(g.amount AS VARCHAR) AS value, g.currency, g.authority, g.rule, concat_ws(', ', g.reason, g.tax_basis) AS reason
  FROM ledger.golden.prices AS g
  UNION ALL
  SELECT 'prices', 'compare_at', CAST(g.item_id AS VARCHAR), g.price_list_id, CAST(g.compare_at AS VARCHAR), g.currency,
    g.authority, g.rule, concat_ws(', ', g.reason, g.tax_basis)
  FROM ledger.golden.prices AS g
  UNION ALL
  SELECT 'items', 'gtin', CAST(g.item_id AS VARCHAR), '', g.gtin, NULL, g.authority, g.rule, g.reason
  FROM ledger.golden.items AS g
  UNION ALL
  SELECT 'stock', 'available', CAST(g.item_id AS VARCHAR), g.location_id,
    concat(g.available, ' = ', g.on_hand, ' on hand - ', g.committed, ' committed - ', g.held, ' held - ', g.safety, ' safety'), NULL,
    g.authority, g.rule, concat_ws('; ', g.reason, CASE WHEN g.safety_rule <> '' THEN 'kept back by the ' || g.safety_rule END)
  FROM ledger.golden.stock AS g
  UNION ALL
  SELECT 'stock', 'available', CAST(g.item_id AS VARCHAR), g.location_id,
    concat(g.available - least(b.units, greatest(g.available, 0)), ' = ', g.available, ' available - ',
      least(b.units, greatest(g.available, 0)), ' kept back from ', b.system), NULL, b.system, 'buffer', b.rule
  FROM ledger.golden.stock AS g
  LEFT JOIN category_items AS c ON c.item_id = g.item_id
  JOIN ledger.estate.buffers AS b ON b.location_id = g.location_id AND (b.category = '' OR fold_text(b.category) = c.category)
  QUALIFY row_number() OVER (PARTITION BY g.item_id, g.location_id, b.system ORDER BY b.category = '') = 1
  UNION ALL
  SELECT 'consents', 'state', g.contact_point, g.channel || ':' || g.purpose, g.state, NULL, g.authority, g.rule, g.reason
  FROM ledger.golden.consents AS g
  UNION ALL
  SELECT 'customers', c.f.field, CAST(c.person_id AS VARCHAR), '', c.f.value, NULL, c.f.authority, 'survivorship',
    'first non-blank by order of the policy'
  FROM (
    SELECT g.person_id, unnest([
      {'field': 'first_name', 'value': g.first_name, 'authority': g.first_name_authority},
      {'field': 'last_name', 'value': g.last_name, 'authority': g.last_name_authority},
      {'field': 'phone', 'value': g.phone, 'authority': g.phone_authority},
      {'field': 'street', 'value': g.street, 'authority': g.street_authority},
      {'field': 'city', 'value': g.city, 'authority': g.city_authority},
      {'field': 'postcode', 'value': g.postcode, 'authority': g.postcode_authority},
      {'field': 'loyalty_points', 'value': g.loyalty_points, 'authority': g.loyalty_points_authority}]) AS f
    FROM ledger.golden.customers AS g
  ) AS c
), since AS (
  -- The oldest base of the item at the place: both histories are told from there.
  SELECT b.subject_id, b.sub, min(b.agreed_at) AS agreed_at FROM bases AS b WHERE b.entity = 'stock' GROUP BY b.subject_id, b.sub
), planned AS (
  SELECT c.* FROM ledger.sync.corrections AS c WHERE c.subject_id IN (SELECT s.subject_id FROM subjects AS s)
), statements AS (
  SELECT 0 AS step, 'quarantined' AS what, t.at, q.entity, q.field, q.system, q.vendor_id, q.vendor_sub_id AS sub,
    NULL::VARCHAR AS value, NULL::VARCHAR AS currency, concat_ws(': ', q.reason, q.value_class) AS detail
  FROM quarantined AS q
  CROSS JOIN words AS w
  LEFT JOIN read_at AS t ON t.system = q.system AND t.entity = q.entity
  WHERE q.vendor_id = w.word OR EXISTS (
    SELECT 1 FROM records AS r JOIN subjects AS x ON x.subject_id = r.subject_id
    WHERE r.system = q.system AND r.vendor_id = q.vendor_id)
  UNION ALL
  SELECT 1, 'said', t.at, s.entity, s.field, s.system, s.vendor_id, s.sub, s.value, s.currency, s.detail
  FROM said AS s LEFT JOIN read_at AS t ON t.system = s.system AND t.entity = s.entity
  WHERE s.subject_id IN (SELECT x.subject_id FROM subjects AS x)
  UNION ALL
  SELECT 2, 'agreed', b.agreed_at, b.entity, b.field, b.system, b.vendor_id, b.sub, b.value, b.currency,
    concat('the base since night ', b.night_id)
  FROM bases AS b
  UNION ALL
  SELECT 3, 'moved', m.occurred_at, 'stock', 'quantity', m.system, m.vendor_id, m.location_id, CAST(m.quantity AS VARCHAR), NULL,
    concat_ws(', ', m.kind, m.order_state, m.movement_id,
      'first seen ' || strftime(timezone('UTC', m.first_seen_at), '%Y-%m-%d %H:%M'),
      CASE WHEN m.authority <> m.system AND m.settled_night IS NOT NULL THEN m.authority || ' knows since night ' || m.settled_night END)
  FROM movement_log AS m
  JOIN since AS s ON s.subject_id = CAST(m.item_id AS VARCHAR) AND s.sub = m.location_id AND m.first_seen_at > s.agreed_at
  UNION ALL
  SELECT 3, 'moved', e.occurred_at, 'stock', 'quantity', e.system, e.order_id, e.location_id, CAST(e.quantity AS VARCHAR), NULL,
    concat_ws(', ', 'hold ' || e.event, e.reason, 'first seen ' || strftime(timezone('UTC', e.seen_at), '%Y-%m-%d %H:%M'))
  FROM ledger.identity.hold_events AS e
  JOIN since AS s ON s.subject_id = CAST(e.item_id AS VARCHAR) AND s.sub = e.location_id
  WHERE e.seen_at > s.agreed_at OR NOT EXISTS (
    SELECT 1 FROM ledger.identity.hold_events AS x WHERE x.system = e.system AND x.hold_id = e.hold_id AND x.event <> 'placed')
  UNION ALL
  SELECT 4, 'decided', n.as_of, d.entity, d.field, d.authority, '', d.sub, d.value, d.currency, concat_ws(': ', d.rule, d.reason)
  FROM decided AS d LEFT JOIN ledger.estate.night AS n ON true
  WHERE d.subject_id IN (SELECT x.subject_id FROM subjects AS x)
  UNION ALL
  SELECT 5, 'planned', p.created_at, c.entity, c.field, c.system, c.vendor_id, c.subject_sub_id,
    concat(coalesce(c.observed, '∅'), ' → ', coalesce(c.desired, '∅')), c.currency,
    concat_ws(' · ', c.drift_class, c.reason, c.disposition, c.disposition_reason, 'plan ' || c.plan_id)
  FROM planned AS c JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
  UNION ALL
  SELECT 6, 'approved', a.approved_at, c.entity, c.field, c.system, c.vendor_id, c.subject_sub_id, NULL, NULL,
    concat_ws(': ', 'by ' || a.approver, a.reason)
  FROM planned AS c JOIN ledger.sync.approvals AS a ON a.plan_id = c.plan_id AND a.correction_key = c.correction_key
  UNION ALL
  SELECT 7, 'pushed', o.at, c.entity, c.field, c.system, c.vendor_id, c.subject_sub_id, c.desired, c.currency,
    concat_ws(' ', o.status, nullif(o.code, ''), nullif(o.message, ''))
  FROM planned AS c JOIN ledger.sync.outcomes AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
  UNION ALL
  SELECT 8, 'verified', v.at, c.entity, c.field, c.system, c.vendor_id, c.subject_sub_id, v.value, c.currency, v.status
  FROM planned AS c JOIN ledger.sync.verifications AS v ON v.plan_id = c.plan_id AND v.correction_key = c.correction_key
)
SELECT s.entity, s.field, s.sub, s.system, s.vendor_id, s.what, s.at, s.value, s.currency, s.detail
FROM statements AS s
WHERE ($entity = '' OR s.entity = $entity)
  AND (len($fields) = 0 OR list_contains($fields, s.field) OR s.what = 'quarantined')
  AND ($system = '' OR s.system = $system OR s.what = 'decided')
ORDER BY s.entity, s.sub, s.field, s.step, s.at, s.system, s.vendor_id
