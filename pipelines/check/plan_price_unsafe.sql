-- check: No approved price is unreadable, negative, zero, below its cost, without a known currency, or beyond the policy's jump and limits.
-- table: plan.decided
-- severity: blocking
WITH approved AS (
  SELECT d.system, d.entity, d.field, d.correction_key, d.currency, d.desired, d.old_minor, d.cost_minor, d.rule,
    TRY_CAST(d.desired AS BIGINT) AS figure,
    coalesce(g.max_jump_pct, CASE WHEN d.field = 'amount' THEN 30 END) AS max_jump_pct,
    coalesce(g.refuses_zero, d.field = 'amount') AS refuses_zero,
    coalesce(g.refuses_below_cost, d.field = 'amount') AS refuses_below_cost, g.floor_minor, g.ceiling_minor
  FROM plan.decided AS d
  LEFT JOIN policy.guards AS g ON g.entity = d.entity AND g.field = d.field
  WHERE d.entity = 'prices' AND d.disposition = 'approve'
)
SELECT a.system, a.entity, a.correction_key
FROM approved AS a
WHERE (a.figure IS NULL AND NOT (a.field = 'compare_at' AND a.desired IS NULL))
  OR a.figure < 0 OR (a.refuses_zero AND a.figure = 0) OR currency_digits(a.currency) IS NULL
  OR (a.refuses_below_cost AND a.figure < a.cost_minor)
  OR a.figure < a.floor_minor OR a.figure > a.ceiling_minor
  OR (a.old_minor > 0 AND abs(a.figure - a.old_minor) * 100.0 > a.max_jump_pct
    * CASE WHEN a.rule = 'rollback' THEN greatest(a.old_minor, a.figure) ELSE a.old_minor END)
