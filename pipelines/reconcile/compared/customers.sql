-- grain: one record of one person beside the golden person
-- key: system, vendor_id
-- why: what drift compares for customers; every field has an authority of its own. Case, accents and blanks are looks, not
--      drift: values are compared folded, and written as the authority has them. A blank is never written, so where the
--      golden address leaves blank what the record holds, none of it is: the record's own postcode would stay beside it.
--      The golden address's country is compared with nothing: it goes along for whoever makes an address where there is none.
SELECT o.system, o.vendor_id, '' AS vendor_sub_id, o.person_id AS subject_id, '' AS subject_sub_id, CAST(NULL AS VARCHAR) AS currency,
  o.version,
  CASE WHEN a.country IS NULL THEN o.write_context
    ELSE CAST(json_merge_patch(coalesce(o.write_context, '{}'), json_object('country', a.country)) AS VARCHAR) END AS context,
  o.first_name AS first_name_observed, g.first_name AS first_name_desired, g.first_name_authority,
  o.last_name AS last_name_observed, g.last_name AS last_name_desired, g.last_name_authority,
  o.phone AS phone_observed, g.phone AS phone_desired, g.phone_authority,
  o.street AS street_observed, a.street AS street_desired, a.street_authority,
  o.city AS city_observed, a.city AS city_desired, a.city_authority,
  o.postcode AS postcode_observed, a.postcode AS postcode_desired, a.postcode_authority,
  o.loyalty_points AS loyalty_points_observed, g.loyalty_points AS loyalty_points_desired, g.loyalty_points_authority
FROM observed.customers AS o
JOIN golden.customers AS g ON g.person_id = o.person_id
LEFT JOIN golden.customers AS a ON a.person_id = o.person_id
  AND (a.city IS NOT NULL OR o.city IS NULL) AND (a.postcode IS NOT NULL OR o.postcode IS NULL)
