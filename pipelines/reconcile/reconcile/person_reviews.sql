-- grain: one pair of records that a person should look at
-- key: system_a, vendor_a, system_b, vendor_b
-- why: too alike to be let go, not sure enough to be joined, or contradicted by a card, a birth date or a first name.
--   Two that share their names alone are nobody's question, nor are two of whom a person has said that they are two
SELECT a.source AS system_a, a.vendor_id AS vendor_a, b.source AS system_b, b.vendor_id AS vendor_b, k.probability AS score
FROM reconcile.person_links AS k
JOIN reconcile.person_records AS a ON a.record_id = k.l
JOIN reconcile.person_records AS b ON b.record_id = k.r
ANTI JOIN reconcile.person_apart AS x ON x.l = k.l AND x.r = k.r
JOIN reconcile.person_clusters AS c ON c.record_id = k.l
JOIN reconcile.person_clusters AS d ON d.record_id = k.r
WHERE c.cluster <> d.cluster AND ((k.probability >= 0.5 AND k.shares_more) OR k.rule <> 'splink')
