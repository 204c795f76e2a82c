-- grain: one thing that happened to a person tonight
-- key: person_id, event, other_person_id
-- why: merges and splits are told apart and kept, so that they can be explained and undone. merged: the person went into
--   the other. split: some records of the other became this person, and the other goes on; who parted them, where it was
--   a person's word
WITH said AS (
  SELECT b.person_id, b.old_person_id, p.author, p.reason
  FROM reconcile.person_bindings AS b
  JOIN reconcile.person_parted AS p ON p.system = b.system AND p.vendor_id = b.vendor_id
  JOIN ledger.identity.persons AS o
    ON o.system = p.other_system AND o.vendor_id = p.other_id AND o.person_id = b.old_person_id
  WHERE b.old_person_id <> b.person_id
  QUALIFY row_number() OVER (
    PARTITION BY b.person_id, b.old_person_id ORDER BY p.said_at DESC, p.author, p.reason) = 1
)
SELECT p.person_id, 'created' AS event, CAST(NULL AS VARCHAR) AS other_person_id, 'first record' AS reason,
  CAST(NULL AS VARCHAR) AS author
FROM reconcile.person_ids AS p
WHERE p.is_new
  AND NOT EXISTS (SELECT 1 FROM reconcile.person_bindings AS b WHERE b.person_id = p.person_id AND b.old_person_id IS NOT NULL)
UNION ALL
SELECT DISTINCT
  CASE WHEN b.goes_on THEN b.person_id ELSE b.old_person_id END,
  CASE WHEN b.goes_on THEN 'split' ELSE 'merged' END,
  CASE WHEN b.goes_on THEN b.old_person_id ELSE b.person_id END,
  CASE WHEN NOT b.goes_on THEN 'its records are linked to an older person'
       ELSE coalesce(s.reason, 'its records are no longer linked to the rest of the other person') END,
  CASE WHEN b.goes_on THEN s.author END
FROM reconcile.person_bindings AS b
LEFT JOIN said AS s ON s.person_id = b.person_id AND s.old_person_id = b.old_person_id
WHERE b.old_person_id <> b.person_id
