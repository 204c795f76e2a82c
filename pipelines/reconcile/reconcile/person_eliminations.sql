-- grain: one pair of records that is joined because nobody else in the data can be the partner
-- key: l, r
-- why: a first name or a birth date that differs is an error, or a relative: no pair tells which, but all of them together do.
--   A relative has other records of his own as often as anybody has. So the pairs of two persons that both have others
--   (decoys: they are relatives) and the odds of standing alone tell how many pairs of records that stand alone are relatives
--   too, as false discoveries are told by targets and decoys. Two records of one person that an error has kept apart may have
--   others, too; so a decoy is only who bears what is in doubt in another record of his own, and counts for as many as the
--   share of records that do so leaves out. Joined is what is alike enough that one in fifty is; of a doubt that is seldom
--   met, where one in fifty of it and of all is. Where relatives are many, or most records stand alone, nothing is joined
--   here, nor where a doubt is met too seldom to be judged. A couple shares everything but the first name and the birth
--   date, so one that differs in the first name must have the other. That both ends stand alone makes one person of them
--   likelier, and counts as weight. Two loyalty cards are two persons whatever the rest says, and so are two whom
--   somebody has parted
WITH sizes AS (
  SELECT cluster, count(*) AS records FROM reconcile.person_clusters GROUP BY cluster
), alone AS (
  SELECT (count(*) FILTER (records = 1) + 1) / (coalesce(sum(records) FILTER (records > 1), 0) + 1) AS odds FROM sizes
), borne AS (
  SELECT c.record_id,
    f.first_name IS NOT NULL AND count(*) OVER (PARTITION BY c.cluster, f.first_name) > 1 AS first_name,
    f.birth IS NOT NULL AND count(*) OVER (PARTITION BY c.cluster, f.birth) > 1 AS birth
  FROM reconcile.person_clusters AS c
  JOIN sizes AS s ON s.cluster = c.cluster AND s.records > 1
  JOIN reconcile.person_features AS f ON f.record_id = c.record_id
), shares AS (
  SELECT greatest(avg(CAST(b.first_name AS INTEGER)), 0.01) AS first_name,
    greatest(avg(CAST(b.birth AS INTEGER)), 0.01) AS birth
  FROM borne AS b
), open_pairs AS (
  SELECT p.l, p.r, p.weight, concat_ws(', ',
      CASE WHEN p.birth = 'other' THEN 'another birth date' END,
      CASE p.first_name WHEN 'other' THEN 'another first name' WHEN 'alike' THEN 'a like first name'
        WHEN 'missing' THEN 'no first name' END) AS doubt
  FROM reconcile.person_pairs AS p
  JOIN reconcile.person_links AS k ON k.l = p.l AND k.r = p.r
  ANTI JOIN reconcile.person_apart AS q ON q.l = p.l AND q.r = p.r
  CROSS JOIN alone AS x
  WHERE NOT k.is_auto AND k.shares_more AND p.card <> 'other' AND (p.birth = 'same' OR p.first_name IN ('same', 'typo'))
    AND p.weight - log2(pow(x.odds, 2)) >= log2(0.9 / 0.1)
), sized AS (
  SELECT c.record_id, c.cluster, s.records = 1 AS is_lone
  FROM reconcile.person_clusters AS c
  JOIN sizes AS s ON s.cluster = c.cluster
  WHERE c.record_id IN (SELECT l FROM open_pairs UNION ALL SELECT r FROM open_pairs)
), ways AS (
  SELECT w.a, w.b, w.weight, w.doubt, a.is_lone AS a_is_lone, b.is_lone AS b_is_lone
  FROM (SELECT l AS a, r AS b, weight, doubt FROM open_pairs UNION ALL SELECT r, l, weight, doubt FROM open_pairs) AS w
  JOIN sized AS a ON a.record_id = w.a
  JOIN sized AS b ON b.record_id = w.b AND b.cluster <> a.cluster
), best AS (
  SELECT w.a, w.b, w.weight, w.doubt, w.a_is_lone, w.b_is_lone
  FROM ways AS w
  QUALIFY row_number() OVER (PARTITION BY w.a, w.b_is_lone ORDER BY w.weight DESC, w.b) = 1
), counted AS (
  SELECT b.a, b.b, b.weight, b.doubt, n.alone, NOT b.a_is_lone AS is_decoy, pow(x.odds, n.alone) AS odds,
    CASE WHEN contains(b.doubt, 'other first name') THEN pow(s.first_name, -2)
      WHEN contains(b.doubt, 'birth') THEN pow(s.birth, -2) ELSE 1 END AS each,
    CASE WHEN b.a_is_lone THEN 0 WHEN contains(b.doubt, 'other first name') THEN CAST(m.first_name AND p.first_name AS INTEGER)
      WHEN contains(b.doubt, 'birth') THEN CAST(m.birth AND p.birth AS INTEGER) ELSE 1 END * each AS decoys
  FROM best AS b
  CROSS JOIN alone AS x
  CROSS JOIN shares AS s
  LEFT JOIN borne AS m ON m.record_id = b.a
  LEFT JOIN borne AS p ON p.record_id = b.b
  JOIN (VALUES (1), (2)) AS n (alone) ON NOT b.a_is_lone OR n.alone = CASE WHEN b.b_is_lone THEN 2 ELSE 1 END
  LEFT JOIN best AS o ON o.a = b.b AND o.b = b.a AND o.b_is_lone
  WHERE b.weight - log2(pow(x.odds, n.alone)) >= log2(0.9 / 0.1)
    AND CASE WHEN b.a_is_lone THEN NOT b.b_is_lone OR o.a IS NOT NULL ELSE NOT b.b_is_lone END
), ranked AS (
  SELECT c.a, c.b, c.weight, c.doubt, c.alone, c.is_decoy, c.odds, c.each,
    sum(c.decoys) OVER own AS own_decoys, sum(1 - CAST(c.is_decoy AS INTEGER)) OVER own AS own,
    sum(c.decoys) OVER every AS all_decoys, sum(1 - CAST(c.is_decoy AS INTEGER)) OVER every AS every
  FROM counted AS c
  WINDOW own AS (PARTITION BY c.doubt, c.alone ORDER BY c.weight DESC RANGE UNBOUNDED PRECEDING),
    every AS (PARTITION BY c.alone ORDER BY c.weight DESC RANGE UNBOUNDED PRECEDING)
), judged AS (
  SELECT r.a, r.b, r.is_decoy, max(r.own) OVER (PARTITION BY r.doubt, r.alone) AS own,
    max(r.every) OVER (PARTITION BY r.alone) AS every,
    min((r.own_decoys + r.each) * r.odds / r.own) OVER own_below AS own_rate,
    min((r.all_decoys + 1) * r.odds / r.every) OVER all_below AS all_rate
  FROM ranked AS r
  WINDOW own_below AS (PARTITION BY r.doubt, r.alone ORDER BY r.weight RANGE UNBOUNDED PRECEDING),
    all_below AS (PARTITION BY r.alone ORDER BY r.weight RANGE UNBOUNDED PRECEDING)
)
SELECT DISTINCT least(j.a, j.b) AS l, greatest(j.a, j.b) AS r
FROM judged AS j
WHERE NOT j.is_decoy
  AND j.own_rate <= 0.02 AND (j.own >= 25 OR (j.every >= 100 AND j.all_rate <= 0.02))
