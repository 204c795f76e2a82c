-- grain: one thing of tonight that is left to people; the first twenty of a kind and system, with how many there are
SELECT w.kind, w.system, w.vendor_id, w.name, w.state, w.action, w.reason,
  count(*) OVER (PARTITION BY w.kind, w.system) AS alike_count
FROM reconcile.worklist AS w
JOIN estate.night AS n ON n.night_id = $night_id
QUALIFY row_number() OVER (PARTITION BY w.kind, w.system ORDER BY w.action, w.name, w.vendor_id, w.subject_id) <= 20
ORDER BY w.kind, w.system, w.action, w.name, w.vendor_id
