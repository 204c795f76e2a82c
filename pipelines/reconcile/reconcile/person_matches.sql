-- grain: one customer record of one system
-- key: system, vendor_id
-- why: who it is, and by which of its links: the strongest within the person; a record alone is a person of its own
WITH ends AS (
  SELECT l AS record_id, r AS other_id, rule, probability FROM reconcile.person_links WHERE is_auto
  UNION ALL
  SELECT r, l, rule, probability FROM reconcile.person_links WHERE is_auto
),
best AS (
  SELECT e.record_id, e.rule, e.probability
  FROM ends AS e
  JOIN reconcile.person_clusters AS a ON a.record_id = e.record_id
  JOIN reconcile.person_clusters AS b ON b.record_id = e.other_id AND b.cluster = a.cluster
  QUALIFY row_number() OVER (
    PARTITION BY e.record_id
    ORDER BY list_position(['card', 'email', 'phone', 'splink', 'elimination'], e.rule), e.probability DESC) = 1
)
SELECT r.source AS system, r.vendor_id, p.person_id,
  CASE WHEN e.rule IS NOT NULL THEN e.rule
       WHEN count(*) OVER (PARTITION BY c.cluster) = 1 THEN 'alone'
       ELSE coalesce(nullif(b.rule, 'alone'), 'binding') END AS rule,
  CASE WHEN e.rule IS NOT NULL THEN e.probability
       WHEN count(*) OVER (PARTITION BY c.cluster) > 1 THEN b.score END AS score,
  true AS is_auto
FROM reconcile.person_clusters AS c
JOIN reconcile.person_records AS r ON r.record_id = c.record_id
JOIN reconcile.person_ids AS p ON p.cluster = c.cluster
LEFT JOIN best AS e ON e.record_id = c.record_id
LEFT JOIN ledger.identity.persons AS b ON b.system = r.source AND b.vendor_id = r.vendor_id
