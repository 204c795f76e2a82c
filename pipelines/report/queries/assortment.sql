-- grain: system of tonight; the items that it is expected to carry, by their state
SELECT a.system, count(*) AS expected, count(*) FILTER (a.state = 'listed') AS listed,
  count(*) FILTER (a.state = 'unpublished') AS unpublished, count(*) FILTER (a.state = 'deleted') AS deleted,
  count(*) FILTER (a.state = 'missing') AS missing, count(*) FILTER (a.state = 'unknown') AS unknown,
  min(a.proved_at) AS proved_at, min(a.census_at) AS census_at
FROM reconcile.assortment AS a
JOIN estate.night AS n ON n.night_id = $night_id
GROUP BY a.system ORDER BY a.system
