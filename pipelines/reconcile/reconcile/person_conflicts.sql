-- grain: one pair of records that links connect over others, and that must not be one person
-- key: l, r
-- why: chains join strangers. Two records that no link of their own joins are kept apart by different loyalty cards or
--   birth dates, by two first names, and by two e-mails in one system
WITH connected AS (
  SELECT m.record_id AS l, n.record_id AS r
  FROM reconcile.person_components AS m
  JOIN reconcile.person_components AS n ON n.component = m.component AND n.record_id > m.record_id
  ANTI JOIN reconcile.person_links AS k ON k.l = m.record_id AND k.r = n.record_id AND k.is_auto
)
SELECT c.l, c.r
FROM connected AS c
JOIN reconcile.person_features AS a ON a.record_id = c.l
JOIN reconcile.person_features AS b ON b.record_id = c.r
WHERE coalesce(a.card <> b.card, false)
  OR births_differ(a.birth, b.birth)
  OR coalesce(a.source <> '' AND a.source = b.source AND a.email <> b.email, false)
  OR (first_names_differ(a.first_name, b.first_name) AND a.name IS DISTINCT FROM b.name)
