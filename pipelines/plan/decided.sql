-- grain: one correction of the plan, with what is to be done about it and why
-- key: correction_key
-- why: caps hold whole groups (R8), and an address is written whole: where a part of it waits, policy writes no other; a row
--   keeps its identity and its age across nights
WITH counted AS (
  SELECT r.system, r.entity, r.field, count(*) AS approved_count
  FROM plan.judged AS j JOIN plan.rows AS r ON r.correction_key = j.correction_key
  WHERE j.approver = 'policy' AND r.drift_class <> 'lower'
  GROUP BY r.system, r.entity, r.field
), capped AS (
  SELECT c.system, c.entity, c.field, c.approved_count,
    least(coalesce(k.max_rows, 500), greatest(coalesce(k.floor_rows, 50),
      CAST(floor(coalesce(k.max_share_pct, 10) * coalesce(p.row_count, 0) / 100) AS BIGINT))) AS allowed_count
  FROM counted AS c
  LEFT JOIN policy.caps AS k ON k.system = c.system AND k.entity = c.entity AND k.field = c.field
  LEFT JOIN plan.populations AS p ON p.system = c.system AND p.entity = c.entity
), settled AS (
  SELECT r.correction_key, r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id, r.subject_id, r.subject_sub_id, r.currency,
    r.observed, r.base, r.has_base, r.desired, r.drift_class, r.authority, r.rule, r.reason, r.version, r.context, r.cost_minor,
    r.old_minor, r.desired_until,
    j.approver = 'policy' AND is_address_part(r.entity, r.field) AS is_part_by_policy,
    coalesce(x.approved_count > x.allowed_count AND j.approver = 'policy' AND r.drift_class <> 'lower', false) AS is_capped,
    x.approved_count, x.allowed_count, j.disposition, j.disposition_reason, j.approver, j.is_releasable
  FROM plan.rows AS r
  JOIN plan.judged AS j ON j.correction_key = r.correction_key
  LEFT JOIN capped AS x ON x.system = r.system AND x.entity = r.entity AND x.field = r.field
), torn AS (
  SELECT DISTINCT s.system, s.vendor_id FROM settled AS s
  WHERE is_address_part(s.entity, s.field) AND (s.is_capped OR s.disposition <> 'approve')
)
SELECT s.correction_key, n.estate, s.system, s.entity, s.field, s.vendor_id, s.vendor_sub_id, s.subject_id, s.subject_sub_id,
  s.currency, s.observed, s.base, s.has_base, s.desired, s.drift_class, s.authority, s.rule,
  CASE WHEN z.system IS NULL THEN s.reason ELSE concat(s.reason, ' But ', z.reason, '.') END AS reason, s.version, s.context,
  s.cost_minor, s.old_minor, s.desired_until,
  CASE
    WHEN s.disposition = 'refuse' OR s.drift_class IN ('raise_with_proof', 'raise_without_proof')
      OR (s.entity = 'stock' AND s.desired = '0')
      OR (s.entity = 'prices' AND s.field = 'amount' AND s.old_minor > 0
        AND abs(TRY_CAST(s.desired AS BIGINT) - s.old_minor) * 10 > s.old_minor) THEN 'high'
    WHEN s.drift_class IN ('never_agreed', 'here', 'both', 'unexplained') THEN 'medium'
    ELSE 'low'
  END AS risk,
  CASE WHEN s.is_capped OR w.system IS NOT NULL THEN 'hold' ELSE s.disposition END AS disposition,
  CASE WHEN s.is_capped
    THEN concat('cap: ', s.approved_count, ' corrections of ', s.system, ' ', s.entity, '.', s.field, ' in one night, ', s.allowed_count, ' allowed.')
    WHEN w.system IS NOT NULL THEN 'An address is written whole, and another part of this one waits.'
    ELSE s.disposition_reason END AS disposition_reason,
  CASE WHEN s.is_capped OR w.system IS NOT NULL THEN NULL ELSE s.approver END AS approver,
  s.is_capped OR w.system IS NOT NULL OR s.is_releasable AS is_releasable,
  CASE WHEN s.is_capped OR w.system IS NOT NULL OR s.disposition IN ('hold', 'pin', 'reject') THEN coalesce(e.held_since, n.as_of)
    ELSE e.held_since END AS held_since,
  e.correction_key IS NULL AS is_new
FROM settled AS s
CROSS JOIN estate.night AS n
LEFT JOIN torn AS w ON w.system = s.system AND w.vendor_id = s.vendor_id AND s.is_part_by_policy
LEFT JOIN reconcile.prior_prices AS z ON z.is_planned AND z.finding = 'above the lowest' AND s.entity = 'prices'
  AND z.field = s.field AND z.system = s.system AND z.vendor_id = s.vendor_id AND z.vendor_price_list = s.vendor_sub_id
LEFT JOIN plan.earlier AS e ON e.correction_key = s.correction_key
