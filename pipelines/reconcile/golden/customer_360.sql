-- grain: one person
-- key: person_id
-- why: what an analyst, or whoever serves a customer, asks: which records are this person and why, what was bought in all
--   channels, what came back, which points and permissions stand, when was the last contact. An order counts for the person
--   of its customer record; one without a customer is nobody's, and a cancelled one was not bought. A no that we wrote is
--   no word of the person. Where persons could not be told apart tonight, they are those of the night before
WITH records AS (
  SELECT m.person_id, count(*) AS records, list({'system': m.system, 'vendor_id': m.vendor_id, 'rule': m.rule, 'score': m.score}
      ORDER BY m.system, m.vendor_id) AS identities
  FROM reconcile.person_matches AS m
  GROUP BY m.person_id
), lines AS (
  SELECT l.system, l.order_id, sum(l.quantity) AS units, sum(l.returned) AS returned
  FROM staged.order_lines AS l
  GROUP BY l.system, l.order_id
), bought AS (
  SELECT m.person_id, o.system, o.currency, count(*) AS orders, CAST(sum(o.total_minor) AS BIGINT) AS total_minor,
    CAST(coalesce(sum(l.units), 0) AS BIGINT) AS units, CAST(coalesce(sum(l.returned), 0) AS BIGINT) AS returned,
    max(o.created_at) AS last_order_at
  FROM staged.orders AS o
  JOIN reconcile.person_matches AS m ON m.system = o.system AND m.vendor_id = o.vendor_customer_id
  LEFT JOIN lines AS l ON l.system = o.system AND l.order_id = o.vendor_id
  WHERE o.state IS DISTINCT FROM 'cancelled'
  GROUP BY m.person_id, o.system, o.currency
), orders AS (
  SELECT b.person_id, CAST(sum(b.orders) AS BIGINT) AS orders, CAST(sum(b.units) AS BIGINT) AS units,
    CAST(sum(b.returned) AS BIGINT) AS returned_units, max(b.last_order_at) AS last_order_at,
    list({'system': b.system, 'currency': b.currency, 'orders': b.orders, 'total_minor': b.total_minor}
      ORDER BY b.system, b.currency) AS channels
  FROM bought AS b
  GROUP BY b.person_id
), points AS (
  SELECT DISTINCT m.person_id, contact_point('email', c.email_norm) AS contact_point
  FROM staged.customers AS c
  JOIN reconcile.person_matches AS m ON m.system = c.system AND m.vendor_id = c.vendor_id
  WHERE c.email_norm IS NOT NULL
  UNION
  SELECT m.person_id, contact_point('phone', c.phone_e164)
  FROM staged.customers AS c
  JOIN reconcile.person_matches AS m ON m.system = c.system AND m.vendor_id = c.vendor_id
  WHERE c.phone_e164 IS NOT NULL
), consents AS (
  SELECT p.person_id,
    list({'contact_point': g.contact_point, 'channel': g.channel, 'purpose': g.purpose, 'state': g.state, 'rule': g.rule}
      ORDER BY g.channel, g.purpose, g.contact_point) AS consents
  FROM points AS p
  JOIN golden.consents AS g ON g.contact_point = p.contact_point
  GROUP BY p.person_id
), said AS (
  SELECT p.person_id, max(e.changed_at) AS last_said_at
  FROM points AS p
  JOIN ledger.identity.consent_events AS e ON e.contact_point = p.contact_point
  WHERE e.proof IS DISTINCT FROM 'ours'
  GROUP BY p.person_id
)
SELECT r.person_id, g.first_name, g.last_name, g.phone, g.street, g.city, g.postcode, r.records, r.identities,
  coalesce(o.orders, 0) AS orders, coalesce(o.units, 0) AS units, coalesce(o.returned_units, 0) AS returned_units, o.channels,
  g.loyalty_points, c.consents, o.last_order_at, greatest(o.last_order_at, s.last_said_at) AS last_contact_at
FROM records AS r
LEFT JOIN golden.customers AS g ON g.person_id = r.person_id
LEFT JOIN orders AS o ON o.person_id = r.person_id
LEFT JOIN consents AS c ON c.person_id = r.person_id
LEFT JOIN said AS s ON s.person_id = r.person_id
