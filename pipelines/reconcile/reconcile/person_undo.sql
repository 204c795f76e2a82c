-- grain: one value to take back from a record because it came from somebody else
-- key: system, vendor_id, field
-- why: parting two persons gives back what each had: the value from before, or, where there was none, what the record's
--   own person now has; else none. Not where the own person's records say the same as was written, nor while anybody who
--   may know of a value was not heard tonight. Held for a person, and written like any other value: only over the value
--   that was seen
WITH deaf AS (
  SELECT DISTINCT s.field
  FROM policy.sources AS s
  WHERE s.entity = 'customers' AND NOT EXISTS (
    SELECT 1 FROM reads.verdicts AS v WHERE v.system = s.system AND v.entity = 'customers' AND v.is_complete)
), found AS (
  SELECT w.system, w.vendor_id, w.field, w.observed, w.before, w.base, w.has_base, w.author, w.reason, w.parted_at,
    o.person_id, o.version,
    CASE WHEN g.country IS NULL THEN o.write_context
      ELSE CAST(json_merge_patch(coalesce(o.write_context, '{}'), json_object('country', g.country)) AS VARCHAR) END AS context,
    CASE w.field WHEN 'first_name' THEN g.first_name WHEN 'last_name' THEN g.last_name WHEN 'phone' THEN g.phone
      WHEN 'street' THEN g.street WHEN 'city' THEN g.city WHEN 'postcode' THEN g.postcode
      WHEN 'loyalty_points' THEN g.loyalty_points END AS own
  FROM reconcile.person_written AS w
  JOIN observed.customers AS o ON o.system = w.system AND o.vendor_id = w.vendor_id
  LEFT JOIN golden.customers AS g ON g.person_id = o.person_id
  WHERE w.state = 'restore'
    AND CASE WHEN w.field IN ('city', 'postcode') THEN 'street' ELSE w.field END NOT IN (SELECT d.field FROM deaf AS d)
    AND NOT EXISTS (SELECT 1 FROM reconcile.person_gaps AS p WHERE p.person_id = o.person_id)
)
SELECT f.system, 'customers' AS entity, f.field, f.vendor_id, '' AS vendor_sub_id, f.person_id AS subject_id,
  '' AS subject_sub_id, CAST(NULL AS VARCHAR) AS currency, f.observed, f.base, f.has_base,
  coalesce(f.before, f.own) AS desired, 'rule' AS drift_class, CAST(NULL AS VARCHAR) AS authority, 'unmerge' AS rule,
  concat('trueup had written it because this record was taken for one person with others, whom ', f.author,
    ' has parted on ', strftime(timezone('UTC', f.parted_at), '%Y-%m-%d'), ': ', f.reason) AS reason,
  f.version, f.context, CAST(NULL AS BIGINT) AS cost_minor, CAST(NULL AS BIGINT) AS old_minor,
  CAST(NULL AS TIMESTAMPTZ) AS desired_until
FROM found AS f
WHERE NOT is_same_text(f.own, f.observed)
