-- grain: one correction that must not be written, whoever asks
-- key: correction_key
-- why: R8, R9, R22 and the one-way rule of permissions; a missing limit is the strict one. Blank is written only where we
--   had filled in what is taken back. The way back is as far as the way there (R15): a step that was let through is not
--   refused for being larger seen from its other end
WITH figures AS (
  SELECT r.correction_key, r.entity, r.field, r.drift_class, r.currency, r.desired, r.cost_minor, r.rule,
    CASE WHEN r.rule = 'rollback' AND r.old_minor > 0 THEN greatest(r.old_minor, TRY_CAST(r.desired AS BIGINT)) ELSE r.old_minor END AS span_minor,
    r.old_minor,
    CASE WHEN regexp_full_match(r.desired, '-?[0-9]{1,18}') THEN CAST(r.desired AS BIGINT) END AS figure,
    coalesce(g.max_jump_pct, CASE WHEN r.field = 'amount' THEN 30 END) AS max_jump_pct,
    coalesce(g.refuses_zero, r.field = 'amount') AS refuses_zero,
    coalesce(g.refuses_below_cost, r.field = 'amount') AS refuses_below_cost, g.floor_minor, g.ceiling_minor
  FROM plan.rows AS r LEFT JOIN policy.guards AS g ON g.entity = r.entity AND g.field = r.field
), judged AS (
  SELECT f.correction_key, CASE
    WHEN f.drift_class = 'raise_without_proof' THEN 'Nobody has proved this opt-in, so it is not written anywhere.'
    WHEN f.drift_class = 'lower' AND f.desired IS DISTINCT FROM 'no' THEN 'A permission can only be lowered to no.'
    WHEN f.entity = 'consents' AND coalesce(f.desired, '') NOT IN ('yes', 'no', 'pending')
      THEN 'The new permission is neither yes, no nor pending.'
    WHEN f.entity = 'customers' AND f.rule IN ('unmerge', 'rollback') AND f.desired IS NULL THEN NULL
    WHEN f.entity <> 'prices' AND nullif(trim(f.desired), '') IS NULL THEN 'There is no new value; a blank is never written.'
    WHEN f.entity = 'stock' AND f.figure IS NULL THEN 'The new quantity cannot be read as a whole number.'
    WHEN f.entity = 'stock' AND f.figure < 0 THEN 'The new quantity is below zero.'
    WHEN f.entity = 'prices' AND (f.currency IS NULL OR currency_digits(f.currency) IS NULL) THEN 'The currency is not known.'
    WHEN f.entity = 'prices' AND f.field = 'compare_at' AND f.desired IS NULL THEN NULL
    WHEN f.entity = 'prices' AND f.figure IS NULL THEN 'The new price cannot be read as an amount.'
    WHEN f.entity = 'prices' AND f.figure < 0 THEN 'The new price is below zero.'
    WHEN f.entity = 'prices' AND f.refuses_zero AND f.figure = 0 THEN 'The new price is zero.'
    WHEN f.entity = 'prices' AND f.refuses_below_cost AND f.figure < f.cost_minor THEN 'The new price is below its cost.'
    WHEN f.entity = 'prices' AND f.figure < f.floor_minor THEN 'The new price is under the floor that the policy sets.'
    WHEN f.entity = 'prices' AND f.figure > f.ceiling_minor THEN 'The new price is over the ceiling that the policy sets.'
    WHEN f.entity = 'prices' AND f.old_minor > 0 AND abs(f.figure - f.old_minor) * 100.0 > f.max_jump_pct * f.span_minor
      THEN concat('The price would move by more than ', printf('%g', CAST(f.max_jump_pct AS DOUBLE)), ' % in one night.')
  END AS reason
  FROM figures AS f
)
SELECT j.correction_key, j.reason FROM judged AS j WHERE j.reason IS NOT NULL
