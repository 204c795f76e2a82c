-- grain: one record of one person with what is proven about it tonight
-- key: system, vendor_id
-- why: `fields` names what is proven; only these move. A field that golden has no value for agrees only where it is blank,
--   and only where all who may know of a value were heard: what is frozen tonight is not blank
WITH targets AS (
  SELECT t.system, list(t.field) AS fields FROM agree.comparable AS t WHERE t.entity = 'customers' GROUP BY t.system
), deaf AS (
  SELECT list(DISTINCT s.field) AS fields
  FROM policy.sources AS s
  WHERE s.entity = 'customers' AND NOT EXISTS (
    SELECT 1 FROM reads.verdicts AS v WHERE v.system = s.system AND v.entity = 'customers' AND v.is_complete)
), gaps AS (
  SELECT g.person_id, list(DISTINCT s.field) AS fields
  FROM reconcile.person_gaps AS g JOIN policy.sources AS s ON s.system = g.system AND s.entity = 'customers'
  GROUP BY g.person_id
), unheard AS (
  SELECT p.person_id, list_concat(coalesce(d.fields, []), coalesce(g.fields, [])) AS fields
  FROM (SELECT DISTINCT c.subject_id AS person_id FROM compared.customers AS c) AS p
  CROSS JOIN deaf AS d
  LEFT JOIN gaps AS g ON g.person_id = p.person_id
), equal AS (
  SELECT c.system, c.vendor_id, c.subject_id, c.first_name_observed AS first_name, c.last_name_observed AS last_name,
    c.phone_observed AS phone, c.street_observed AS street, c.city_observed AS city, c.postcode_observed AS postcode,
    c.loyalty_points_observed AS loyalty_points,
    list_filter(t.fields, lambda f: NOT list_contains(coalesce(d.fields, []), f) AND NOT list_contains(list_filter([
      CASE WHEN c.first_name_desired IS NULL AND (c.first_name_observed IS NOT NULL OR list_contains(u.fields, 'first_name')) THEN 'first_name' END,
      CASE WHEN c.last_name_desired IS NULL AND (c.last_name_observed IS NOT NULL OR list_contains(u.fields, 'last_name')) THEN 'last_name' END,
      CASE WHEN c.phone_desired IS NULL AND (c.phone_observed IS NOT NULL OR list_contains(u.fields, 'phone')) THEN 'phone' END,
      CASE WHEN c.street_desired IS NULL AND (c.street_observed IS NOT NULL OR list_contains(u.fields, 'street')) THEN 'street' END,
      CASE WHEN c.city_desired IS NULL AND (c.city_observed IS NOT NULL OR list_contains(u.fields, 'city')) THEN 'city' END,
      CASE WHEN c.postcode_desired IS NULL AND (c.postcode_observed IS NOT NULL OR list_contains(u.fields, 'postcode')) THEN 'postcode' END,
      CASE WHEN c.loyalty_points_desired IS NULL AND (c.loyalty_points_observed IS NOT NULL OR list_contains(u.fields, 'loyalty_points')) THEN 'loyalty_points' END],
      lambda x: x IS NOT NULL), f)) AS fields
  FROM compared.customers AS c
  JOIN targets AS t ON t.system = c.system
  JOIN unheard AS u ON u.person_id = c.subject_id
  LEFT JOIN agree.drifted AS d ON d.system = c.system AND d.entity = 'customers' AND d.vendor_id = c.vendor_id
), written AS (
  SELECT w.system, w.vendor_id, any_value(w.subject_id) AS subject_id,
    max(w.desired) FILTER (w.field = 'first_name') AS first_name, max(w.desired) FILTER (w.field = 'last_name') AS last_name,
    max(w.desired) FILTER (w.field = 'phone') AS phone, max(w.desired) FILTER (w.field = 'street') AS street,
    max(w.desired) FILTER (w.field = 'city') AS city, max(w.desired) FILTER (w.field = 'postcode') AS postcode,
    max(w.desired) FILTER (w.field = 'loyalty_points') AS loyalty_points,
    list(w.field) AS fields
  FROM agree.written AS w WHERE w.entity = 'customers' AND w.is_undone IS NOT TRUE
  GROUP BY w.system, w.vendor_id
), joined AS (
  SELECT coalesce(w.system, e.system) AS system, coalesce(w.vendor_id, e.vendor_id) AS vendor_id,
    coalesce(w.subject_id, e.subject_id) AS person_id,
    coalesce(w.first_name, e.first_name) AS first_name, coalesce(w.last_name, e.last_name) AS last_name,
    coalesce(w.phone, e.phone) AS phone, coalesce(w.street, e.street) AS street, coalesce(w.city, e.city) AS city,
    coalesce(w.postcode, e.postcode) AS postcode, coalesce(w.loyalty_points, e.loyalty_points) AS loyalty_points,
    list_sort(list_distinct(list_concat(coalesce(e.fields, []), coalesce(w.fields, [])))) AS fields
  FROM equal AS e
  FULL JOIN written AS w ON w.system = e.system AND w.vendor_id = e.vendor_id
)
SELECT j.system, j.vendor_id, j.person_id, j.first_name, j.last_name, j.phone, j.street, j.city, j.postcode, j.loyalty_points, j.fields
FROM joined AS j WHERE len(j.fields) > 0
