-- grain: one of tonight's corrections whose value was written over again and again after trueup had written it
-- key: correction_key
-- why: R10; somebody, or the system itself, undoes what trueup writes: one more write ends nothing, so the value is parked
--   until a person says who is right. Over again: found otherwise than trueup had left it, and either what stood there before
--   is back or the very same is to be written. Only the last writes count, and they stay the last while the value is parked,
--   so it does not begin anew when a week has gone by. A person's approval younger than the last write lets one more go.
--   An opt-out is never parked: a lowering is right however often it is undone. Counters whose every unit is explained come
--   back to a number by themselves. A request counts once it was seen carried out
WITH ended AS (
  SELECT o.plan_id, o.correction_key, arg_max(o.status, o.rowid) AS status, max(o."at") AS written_at, max(o.rowid) AS place
  FROM ledger.sync.outcomes AS o GROUP BY o.plan_id, o.correction_key
), seen AS (
  SELECT v.plan_id, v.correction_key, arg_max(v.status, v.rowid) AS status
  FROM ledger.sync.verifications AS v GROUP BY v.plan_id, v.correction_key
), writes AS (
  SELECT c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.observed, c.desired, c.drift_class, w.written_at,
    row_number() OVER latest_first AS number,
    lead(c.observed) OVER latest_first AS observed_before, lead(c.desired) OVER latest_first AS desired_before
  FROM ledger.sync.corrections AS c
  JOIN ended AS w ON w.plan_id = c.plan_id AND w.correction_key = c.correction_key AND w.status = 'applied'
  LEFT JOIN policy.requests AS q ON q.system = c.system AND q.entity = c.entity
  LEFT JOIN seen AS s ON s.plan_id = c.plan_id AND s.correction_key = c.correction_key
  WHERE (q.system IS NULL OR s.status IN ('confirmed', 'overwritten'))
    AND (c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id) IN (
      SELECT (r.system, r.entity, r.field, r.vendor_id, r.vendor_sub_id) FROM plan.rows AS r)
  WINDOW latest_first AS (
    PARTITION BY c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id ORDER BY w.written_at DESC, w.place DESC)
), limits AS (
  SELECT coalesce(max(p.flap_writes), 2) AS writes, coalesce(max(p.flap_days), 7) AS days FROM policy.parking AS p
), dances AS (
  SELECT w.system, w.entity, w.field, w.vendor_id, w.vendor_sub_id,
    max(w.observed) FILTER (WHERE w.number = 1) AS observed, max(w.desired) FILTER (WHERE w.number = 1) AS desired,
    max(w.written_at) AS last_at,
    string_agg(strftime(w.written_at AT TIME ZONE 'UTC', '%Y-%m-%d'), ', ' ORDER BY w.number DESC) AS days
  FROM writes AS w CROSS JOIN limits AS l
  WHERE w.number <= l.writes
  GROUP BY w.system, w.entity, w.field, w.vendor_id, w.vendor_sub_id, l.writes, l.days
  HAVING count(*) = l.writes AND max(w.written_at) <= min(w.written_at) + to_days(CAST(l.days AS INTEGER))
    AND bool_and(w.number = l.writes OR (w.drift_class <> 'explained'
      AND is_written_over(w.observed, w.desired, w.observed_before, w.desired_before)))
), released AS (
  SELECT a.correction_key, max(a."at") AS released_at FROM ledger.sync.answers AS a
  WHERE a.answer = 'approve' AND a.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  GROUP BY a.correction_key
)
SELECT r.correction_key, d.last_at,
  concat('It flaps (R10): trueup wrote it on ', d.days, ', and each time it was written over; a person decides who is right.') AS reason
FROM plan.rows AS r
JOIN dances AS d ON d.system = r.system AND d.entity = r.entity AND d.field = r.field AND d.vendor_id = r.vendor_id
  AND d.vendor_sub_id = r.vendor_sub_id
LEFT JOIN released AS a ON a.correction_key = r.correction_key
WHERE r.drift_class NOT IN ('lower', 'explained')
  AND is_written_over(r.observed, r.desired, d.observed, d.desired) AND coalesce(a.released_at <= d.last_at, true)
