-- grain: one value that trueup wrote into a record of a parted person because it was taken for one with the others
-- key: system, vendor_id, field
-- why: it is not the record's own. Counted is what was written since both sides were one person and before they were parted,
--   from a system in which the other side has a record, and only where that was our last write there then. `before` is what
--   stood there before the first of such writes in a row: what somebody wrote in between is the record's own. `restore`: it
--   still stands as we wrote it. `changed`: somebody has written something else since, which is left as it is. Nothing is
--   said of a place that was written anew since the parting, or where a person said that it stays
WITH sides AS (
  SELECT p.system, p.vendor_id, list(DISTINCT p.other_system ORDER BY p.other_system) AS others, min(p.together_since) AS since,
    max(p.last_plan_at) AS until, max(p.said_at) AS parted_at,
    arg_max({'author': p.author, 'reason': p.reason}, {'at': p.said_at, 'author': p.author, 'reason': p.reason}) AS word
  FROM reconcile.person_parted AS p
  GROUP BY p.system, p.vendor_id
), planned AS (
  SELECT c.plan_id, c.correction_key, c.system, c.vendor_id, c.field, c.observed, c.desired, c.authority, q.created_at,
    q.created_at <= s.until AS is_before, list_contains(s.others, c.authority) AS is_theirs
  FROM ledger.sync.corrections AS c
  JOIN sides AS s ON s.system = c.system AND s.vendor_id = c.vendor_id
  JOIN ledger.sync.plans AS q ON q.plan_id = c.plan_id AND q.as_of >= s.since
  WHERE c.entity = 'customers'
), outcomes AS (
  SELECT o.plan_id, o.correction_key, arg_max(o.status, o.rowid) AS status, max(o."at") AS written_at
  FROM ledger.sync.outcomes AS o
  SEMI JOIN planned AS p ON p.plan_id = o.plan_id AND p.correction_key = o.correction_key
  GROUP BY o.plan_id, o.correction_key
), writes AS (
  SELECT p.plan_id, p.correction_key, p.system, p.vendor_id, p.field, p.observed, p.desired, p.created_at, p.is_before,
    p.is_theirs, o.written_at
  FROM planned AS p
  JOIN outcomes AS o ON o.plan_id = p.plan_id AND o.correction_key = p.correction_key
  WHERE o.status IN ('applied', 'unknown')
), chained AS (
  SELECT w.system, w.vendor_id, w.field, w.observed, w.desired, w.created_at, w.plan_id, w.is_theirs, w.written_at,
    w.is_theirs AND NOT coalesce(lag(w.is_theirs) OVER place AND is_same_text(w.observed, lag(w.desired) OVER place), false)
      AS begins
  FROM writes AS w
  WHERE w.is_before
  WINDOW place AS (PARTITION BY w.system, w.vendor_id, w.field ORDER BY w.created_at, w.plan_id)
), latest AS (
  SELECT c.system, c.vendor_id, c.field, max(c.written_at) AS written_at,
    arg_max({'value': c.desired, 'is_theirs': c.is_theirs}, {'at': c.created_at, 'plan': c.plan_id}) AS final,
    arg_max({'value': c.observed}, {'at': c.created_at, 'plan': c.plan_id}) FILTER (c.begins) AS first
  FROM chained AS c
  GROUP BY c.system, c.vendor_id, c.field
), settled AS (
  SELECT DISTINCT w.system, w.vendor_id, w.field
  FROM writes AS w
  JOIN ledger.sync.verifications AS v ON v.plan_id = w.plan_id AND v.correction_key = w.correction_key
  WHERE NOT w.is_before AND v.status = 'confirmed'
  UNION
  SELECT c.system, c.vendor_id, c.field
  FROM (
    SELECT x.system, x.vendor_id, x.field, arg_max(a.answer, {'at': a.at, 'id': a.answer_id}) AS answer
    FROM ledger.sync.corrections AS x
    JOIN ledger.sync.answers AS a ON a.correction_key = x.correction_key
    WHERE x.entity = 'customers' AND x.rule = 'unmerge'
    GROUP BY x.system, x.vendor_id, x.field) AS c
  WHERE c.answer = 'reject'
), held AS (
  SELECT l.system, l.vendor_id, l.field, l.final.value AS written, l.first.value AS before, l.written_at,
    CASE l.field WHEN 'first_name' THEN o.first_name WHEN 'last_name' THEN o.last_name WHEN 'phone' THEN o.phone
      WHEN 'street' THEN o.street WHEN 'city' THEN o.city WHEN 'postcode' THEN o.postcode
      WHEN 'loyalty_points' THEN o.loyalty_points END AS observed,
    CASE l.field WHEN 'first_name' THEN b.first_name WHEN 'last_name' THEN b.last_name WHEN 'phone' THEN b.phone
      WHEN 'street' THEN b.street WHEN 'city' THEN b.city WHEN 'postcode' THEN b.postcode
      WHEN 'loyalty_points' THEN b.loyalty_points END AS base,
    coalesce(list_contains(b.fields, l.field), false) AS has_base, b.agreed_at
  FROM latest AS l
  JOIN observed.customers AS o ON o.system = l.system AND o.vendor_id = l.vendor_id
  LEFT JOIN ledger.agreed.customers AS b ON b.system = l.system AND b.vendor_id = l.vendor_id
  ANTI JOIN settled AS t ON t.system = l.system AND t.vendor_id = l.vendor_id AND t.field = l.field
  WHERE l.final.is_theirs
)
SELECT h.system, h.vendor_id, h.field, h.written, h.before, h.observed, h.has_base,
  CASE WHEN h.has_base THEN h.base END AS base,
  CASE WHEN is_same_text(h.observed, h.written) THEN 'restore' ELSE 'changed' END AS state,
  s.parted_at, s.word.author AS author, s.word.reason AS reason
FROM held AS h
JOIN sides AS s ON s.system = h.system AND s.vendor_id = h.vendor_id
WHERE NOT is_same_text(h.written, h.before)
  AND NOT is_same_text(h.observed, h.before)
  -- Agreed on something else since: what stands there now came from elsewhere.
  AND NOT (h.has_base AND h.agreed_at > h.written_at AND NOT is_same_text(h.base, h.written))
