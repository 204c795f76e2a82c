-- check: What policy approves stays under the caps of every system and field; opt-outs have none.
-- table: plan.decided
-- severity: blocking
SELECT d.system, d.entity, d.field
FROM plan.decided AS d
LEFT JOIN policy.caps AS k ON k.system = d.system AND k.entity = d.entity AND k.field = d.field
LEFT JOIN plan.populations AS p ON p.system = d.system AND p.entity = d.entity
WHERE d.disposition = 'approve' AND d.approver = 'policy' AND d.drift_class <> 'lower'
GROUP BY d.system, d.entity, d.field, k.max_rows, k.floor_rows, k.max_share_pct, p.row_count
HAVING count(*) > coalesce(k.max_rows, 500)
  OR count(*) > greatest(coalesce(k.floor_rows, 50), coalesce(k.max_share_pct, 10) * coalesce(p.row_count, 0) / 100)
