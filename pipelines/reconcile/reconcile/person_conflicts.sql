-- grain: one pair of records that links connect, directly or over others, and that must not be one person
-- key: l, r
-- why: chains join strangers. Different loyalty cards or birth dates never go together; two first names, or two e-mails
--   in one system, only where a link of their own joins the two records
SELECT a.record_id AS l, b.record_id AS r
FROM reconcile.person_components AS m
JOIN reconcile.person_components AS n ON n.component = m.component AND n.record_id > m.record_id
JOIN reconcile.person_features AS a ON a.record_id = m.record_id
JOIN reconcile.person_features AS b ON b.record_id = n.record_id
WHERE coalesce(a.card <> b.card, false)
  OR births_differ(a.birth, b.birth)
  OR ((coalesce(a.source = b.source AND a.email <> b.email, false)
       OR (first_names_differ(a.first_name, b.first_name) AND a.name IS DISTINCT FROM b.name))
      AND NOT EXISTS (SELECT 1 FROM reconcile.person_links AS k
                      WHERE k.l = a.record_id AND k.r = b.record_id AND k.is_auto))
