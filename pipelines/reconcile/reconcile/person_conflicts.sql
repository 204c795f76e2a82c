-- grain: one pair of records that links connect over others, and that must not be one person
-- key: l, r
-- why: chains join strangers. Two records that no link of their own joins are kept apart by different loyalty cards or
--   birth dates, by two first names, and by two e-mails in one system. Of what an earlier night joined by elimination only
--   cards and e-mails speak, so that no person goes to and fro with the odds of a night; and another first name and another
--   birth date together, which no elimination joins. What a person has parted nothing joins, no link of their own either
WITH bound AS (
  SELECT b.l AS record_id, b.r AS oldest, b.is_weighed FROM reconcile.person_bound AS b
  UNION ALL
  SELECT DISTINCT b.r, b.r, false FROM reconcile.person_bound AS b
), connected AS (
  SELECT m.record_id AS l, n.record_id AS r
  FROM reconcile.person_components AS m
  JOIN reconcile.person_components AS n ON n.component = m.component AND n.record_id > m.record_id
  ANTI JOIN reconcile.person_links AS k ON k.l = m.record_id AND k.r = n.record_id AND k.is_auto
), compared AS (
  SELECT c.l, c.r, coalesce(a.card <> b.card, false) AS two_cards,
    coalesce(a.source <> '' AND a.source = b.source AND a.email <> b.email, false) AS two_emails,
    births_differ(a.birth, b.birth) AS two_births,
    first_names_differ(a.first_name, b.first_name) AND a.name IS DISTINCT FROM b.name AS two_names
  FROM connected AS c
  JOIN reconcile.person_features AS a ON a.record_id = c.l
  JOIN reconcile.person_features AS b ON b.record_id = c.r
)
SELECT p.l, p.r
FROM reconcile.person_apart AS p
JOIN reconcile.person_components AS m ON m.record_id = p.l
JOIN reconcile.person_components AS n ON n.record_id = p.r AND n.component = m.component
UNION
SELECT c.l, c.r
FROM compared AS c
WHERE c.two_cards OR c.two_emails OR (c.two_births AND c.two_names)
  OR ((c.two_births OR c.two_names)
      AND NOT EXISTS (
        SELECT 1 FROM bound AS x JOIN bound AS y ON y.oldest = x.oldest
        WHERE x.record_id = c.l AND y.record_id = c.r AND (x.is_weighed OR y.is_weighed)))
