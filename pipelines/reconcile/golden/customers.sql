-- grain: one person
-- key: person_id
-- why: survivorship, field by field: the first system in the order of policy.sources that holds a value; of two records
--   in one system the one changed last. An address is one value, that of the first record with a street, blanks and all, so
--   that no street gets another's postcode. Where a system that stands before it could not be read tonight, or keeps this
--   person's record in quarantine, the field is frozen: no value at all, and no other system stands in. What was written
--   into a record while it was taken for somebody else's is nobody's word: it counts as what stood there before
WITH ranks AS (
  SELECT system, rank AS place,
    field
  FROM policy.sources
  WHERE entity = 'customers'
),
wide AS (
  SELECT system,
    min(place) FILTER (field = 'first_name') AS first_name, min(place) FILTER (field = 'last_name') AS last_name,
    min(place) FILTER (field = 'phone') AS phone, min(place) FILTER (field = 'street') AS street,
    min(place) FILTER (field = 'loyalty_points') AS loyalty_points
  FROM ranks
  GROUP BY system
),
unread AS (
  SELECT min(w.first_name) AS first_name, min(w.last_name) AS last_name, min(w.phone) AS phone, min(w.street) AS street,
    min(w.loyalty_points) AS loyalty_points
  FROM wide AS w
  WHERE NOT EXISTS (
    SELECT 1 FROM reads.verdicts AS v WHERE v.system = w.system AND v.entity = 'customers' AND v.is_complete)
),
gaps AS (
  SELECT g.person_id, min(w.first_name) AS first_name, min(w.last_name) AS last_name, min(w.phone) AS phone,
    min(w.street) AS street, min(w.loyalty_points) AS loyalty_points
  FROM reconcile.person_gaps AS g
  JOIN wide AS w ON w.system = g.system
  GROUP BY g.person_id
),
foreign_values AS (
  SELECT w.system, w.vendor_id, list(w.field ORDER BY w.field) AS fields,
    max(w.before) FILTER (w.field = 'first_name') AS first_name,
    max(w.before) FILTER (w.field = 'last_name') AS last_name,
    max(w.before) FILTER (w.field = 'phone') AS phone,
    max(w.before) FILTER (w.field = 'street') AS street,
    max(w.before) FILTER (w.field = 'city') AS city,
    max(w.before) FILTER (w.field = 'postcode') AS postcode,
    max(w.before) FILTER (w.field = 'loyalty_points') AS loyalty_points
  FROM reconcile.person_written AS w
  WHERE w.state = 'restore'
  GROUP BY w.system, w.vendor_id
),
records AS (
  SELECT o.person_id, o.system, o.country,
    CASE WHEN list_contains(f.fields, 'first_name') THEN f.first_name ELSE o.first_name END AS first_name,
    CASE WHEN list_contains(f.fields, 'last_name') THEN f.last_name ELSE o.last_name END AS last_name,
    CASE WHEN list_contains(f.fields, 'phone') THEN f.phone ELSE o.phone END AS phone,
    CASE WHEN list_contains(f.fields, 'street') THEN f.street ELSE o.street END AS street,
    CASE WHEN list_contains(f.fields, 'city') THEN f.city ELSE o.city END AS city,
    CASE WHEN list_contains(f.fields, 'postcode') THEN f.postcode ELSE o.postcode END AS postcode,
    CASE WHEN list_contains(f.fields, 'loyalty_points') THEN f.loyalty_points ELSE o.loyalty_points END AS loyalty_points,
    row_number() OVER (
      PARTITION BY o.person_id, o.system ORDER BY c.updated_at DESC NULLS LAST, o.vendor_id) AS age
  FROM observed.customers AS o
  JOIN staged.customers AS c ON c.system = o.system AND c.vendor_id = o.vendor_id
  LEFT JOIN foreign_values AS f ON f.system = o.system AND f.vendor_id = o.vendor_id
),
best AS (
  SELECT r.person_id,
    arg_min({'value': r.first_name, 'system': r.system, 'place': w.first_name}, w.first_name * 1000000 + r.age)
      FILTER (r.first_name IS NOT NULL) AS first_name,
    arg_min({'value': r.last_name, 'system': r.system, 'place': w.last_name}, w.last_name * 1000000 + r.age)
      FILTER (r.last_name IS NOT NULL) AS last_name,
    arg_min({'value': r.phone, 'system': r.system, 'place': w.phone}, w.phone * 1000000 + r.age)
      FILTER (r.phone IS NOT NULL) AS phone,
    arg_min({'street': r.street, 'city': r.city, 'postcode': r.postcode, 'country': r.country, 'system': r.system,
      'place': w.street}, w.street * 1000000 + r.age) FILTER (r.street IS NOT NULL) AS address,
    arg_min({'value': r.loyalty_points, 'system': r.system, 'place': w.loyalty_points}, w.loyalty_points * 1000000 + r.age)
      FILTER (r.loyalty_points IS NOT NULL) AS loyalty_points
  FROM records AS r
  JOIN wide AS w ON w.system = r.system
  GROUP BY r.person_id
),
seen AS (
  SELECT b.person_id, b.first_name, b.last_name, b.phone, b.address, b.loyalty_points,
    coalesce(b.first_name.place < least(coalesce(u.first_name, 1000), coalesce(g.first_name, 1000)), false) AS has_first_name,
    coalesce(b.last_name.place < least(coalesce(u.last_name, 1000), coalesce(g.last_name, 1000)), false) AS has_last_name,
    coalesce(b.phone.place < least(coalesce(u.phone, 1000), coalesce(g.phone, 1000)), false) AS has_phone,
    coalesce(b.address.place < least(coalesce(u.street, 1000), coalesce(g.street, 1000)), false) AS has_address,
    coalesce(b.loyalty_points.place < least(coalesce(u.loyalty_points, 1000), coalesce(g.loyalty_points, 1000)), false)
      AS has_loyalty_points
  FROM best AS b
  CROSS JOIN unread AS u
  LEFT JOIN gaps AS g ON g.person_id = b.person_id
)
SELECT s.person_id,
  CASE WHEN s.has_first_name THEN s.first_name.value END AS first_name,
  CASE WHEN s.has_first_name THEN s.first_name.system END AS first_name_authority,
  CASE WHEN s.has_last_name THEN s.last_name.value END AS last_name,
  CASE WHEN s.has_last_name THEN s.last_name.system END AS last_name_authority,
  CASE WHEN s.has_phone THEN s.phone.value END AS phone,
  CASE WHEN s.has_phone THEN s.phone.system END AS phone_authority,
  CASE WHEN s.has_address THEN s.address.street END AS street,
  CASE WHEN s.has_address THEN s.address.system END AS street_authority,
  CASE WHEN s.has_address THEN s.address.city END AS city,
  CASE WHEN s.has_address AND s.address.city IS NOT NULL THEN s.address.system END AS city_authority,
  CASE WHEN s.has_address THEN s.address.postcode END AS postcode,
  CASE WHEN s.has_address AND s.address.postcode IS NOT NULL THEN s.address.system END AS postcode_authority,
  CASE WHEN s.has_loyalty_points THEN s.loyalty_points.value END AS loyalty_points,
  CASE WHEN s.has_loyalty_points THEN s.loyalty_points.system END AS loyalty_points_authority,
  -- Never written, and no field of the policy: only told to whoever makes an address.
  CASE WHEN s.has_address THEN s.address.country END AS country
FROM seen AS s
