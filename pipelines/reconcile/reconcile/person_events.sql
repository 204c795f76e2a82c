-- grain: one thing that happened to a person tonight
-- key: person_id, event, other_person_id
-- why: merges and splits are told apart and kept, so that they can be explained and undone. merged: the person went into
--   the other. split: some records of the other became this person, and the other goes on
SELECT p.person_id, 'created' AS event, CAST(NULL AS VARCHAR) AS other_person_id, 'first record' AS reason
FROM reconcile.person_ids AS p
WHERE p.is_new
  AND NOT EXISTS (SELECT 1 FROM reconcile.person_bindings AS b WHERE b.person_id = p.person_id AND b.old_person_id IS NOT NULL)
UNION ALL
SELECT DISTINCT
  CASE WHEN k.person_id IS NULL THEN b.old_person_id ELSE b.person_id END,
  CASE WHEN k.person_id IS NULL THEN 'merged' ELSE 'split' END,
  CASE WHEN k.person_id IS NULL THEN b.person_id ELSE b.old_person_id END,
  CASE WHEN k.person_id IS NULL THEN 'its records are linked to an older person'
       ELSE 'its records are no longer linked to the rest of the other person' END
FROM reconcile.person_bindings AS b
LEFT JOIN reconcile.person_ids AS k ON k.person_id = b.old_person_id
WHERE b.old_person_id <> b.person_id
