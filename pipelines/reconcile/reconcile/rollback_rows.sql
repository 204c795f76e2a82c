-- grain: one written correction that a person has ordered to be undone, and what is to become of it
-- key: plan_id, correction_key
-- why: R15; what trueup wrote is taken back only where it still stands as it was written, and only by what trueup wrote there
--   last. A case and a blank are a change: somebody may have meant them. The states, the first that applies:
--     open      whether it was written is not known yet          not_written  it was not
--     kept      a rule forbids it (`rule`, `why`)                 done         this order has undone it
--     unread    its system was not read whole tonight             gone         the record is not there any more; where a
--     restored  what stood there before stands there again                     person was erased, nothing from before is either
--     changed   somebody has written something else since         expired      the order is older than 7 days
--     restore   ours still stands: it is planned back
--   An address is one value: where a part of it has to stay, so have the others. A "was" price does not come back beside a
--   price that stays. `stands`: the same correction is not made again unless a person says so
WITH ordered AS (
  SELECT s.rollback_id, s.plan_id, s.correction_key, s.author, s.reason, s.said_at, s.last_plan_at, s.is_current, c.system, c.entity, c.field,
    c.vendor_id, c.vendor_sub_id, c.currency, c.observed AS before, c.desired AS after, c.drift_class
  FROM reconcile.rollback_said AS s
  JOIN ledger.sync.corrections AS c ON c.plan_id = s.plan_id AND c.correction_key = s.correction_key
), planned AS (
  SELECT c.plan_id, c.correction_key, c.system, c.entity, c.field, c.vendor_id, c.vendor_sub_id, c.desired, c.rule
  FROM ledger.sync.corrections AS c
  SEMI JOIN ordered AS x ON x.system = c.system AND x.entity = c.entity AND x.field = c.field AND x.vendor_id = c.vendor_id
    AND x.vendor_sub_id = c.vendor_sub_id
), outcomes AS (
  SELECT o.plan_id, o.correction_key, arg_max(o.status, o.rowid) AS status, max(o.at) AS written_at, max(o.rowid) AS turn
  FROM ledger.sync.outcomes AS o
  SEMI JOIN planned AS p ON p.plan_id = o.plan_id AND p.correction_key = o.correction_key
  GROUP BY o.plan_id, o.correction_key
), sent AS (
  SELECT i.plan_id, i.correction_key, max(i.sent_at) AS sent_at
  FROM ledger.sync.intents AS i
  SEMI JOIN planned AS p ON p.plan_id = i.plan_id AND p.correction_key = i.correction_key
  WHERE i.state = 'sent'
  GROUP BY i.plan_id, i.correction_key
), writes AS (
  SELECT p.plan_id, p.correction_key, p.system, p.entity, p.field, p.vendor_id, p.vendor_sub_id, p.desired, p.rule,
    CASE WHEN s.plan_id IS NOT NULL THEN 'unknown' ELSE o.status END AS status, coalesce(s.sent_at, o.written_at) AS written_at,
    CASE WHEN s.plan_id IS NOT NULL THEN 1 ELSE 0 END AS is_open, coalesce(o.turn, 0) AS turn, q.created_at AS planned_at
  FROM planned AS p
  JOIN ledger.sync.plans AS q ON q.plan_id = p.plan_id
  LEFT JOIN outcomes AS o ON o.plan_id = p.plan_id AND o.correction_key = p.correction_key
  LEFT JOIN sent AS s ON s.plan_id = p.plan_id AND s.correction_key = p.correction_key
  WHERE s.plan_id IS NOT NULL OR o.status IN ('applied', 'unknown')
), latest AS (
  SELECT w.system, w.entity, w.field, w.vendor_id, w.vendor_sub_id, w.plan_id, w.correction_key, w.desired, w.rule
  FROM writes AS w
  QUALIFY row_number() OVER (PARTITION BY w.system, w.entity, w.field, w.vendor_id, w.vendor_sub_id
    ORDER BY w.is_open DESC, w.turn DESC, w.written_at DESC, w.plan_id DESC, w.correction_key) = 1
), since AS (
  SELECT x.plan_id, x.correction_key,
    coalesce(bool_or(w.rule = 'rollback' AND w.status = 'applied' AND w.desired IS NOT DISTINCT FROM x.before), false) AS is_undone,
    coalesce(bool_or(w.desired IS NOT DISTINCT FROM x.after), false) AS is_made_again
  FROM ordered AS x
  JOIN writes AS w ON w.system = x.system AND w.entity = x.entity AND w.field = x.field AND w.vendor_id = x.vendor_id
    AND w.vendor_sub_id = x.vendor_sub_id AND w.planned_at > x.last_plan_at
  GROUP BY x.plan_id, x.correction_key
), facts AS (
  SELECT x.rollback_id, x.plan_id, x.correction_key, x.author, x.reason, x.said_at, x.is_current, x.system, x.entity, x.field,
    x.vendor_id, x.vendor_sub_id, coalesce(h.currency, x.currency) AS currency, x.before, x.after, x.drift_class, h.value AS observed,
    w.status, w.written_at, l.plan_id AS last_plan, l.plan_id IS DISTINCT FROM x.plan_id
      AND NOT (l.rule = 'rollback' AND l.desired IS NOT DISTINCT FROM x.after) AS is_overwritten,
    coalesce(n.is_undone, false) AS is_undone, coalesce(n.is_made_again, false) AS is_made_again,
    h.system IS NULL AS is_away, h.currency IS DISTINCT FROM x.currency AND h.currency IS NOT NULL AS is_other_money,
    q.system IS NOT NULL AS is_request, e.system IS NOT NULL AS can_clear,
    coalesce(v.is_complete, false) AS is_read,
    is_same_writing(h.value, x.before) AS is_before, is_same_writing(h.value, x.after) AS is_after
  FROM ordered AS x
  LEFT JOIN writes AS w ON w.plan_id = x.plan_id AND w.correction_key = x.correction_key
  LEFT JOIN latest AS l ON l.system = x.system AND l.entity = x.entity AND l.field = x.field AND l.vendor_id = x.vendor_id
    AND l.vendor_sub_id = x.vendor_sub_id
  LEFT JOIN since AS n ON n.plan_id = x.plan_id AND n.correction_key = x.correction_key
  LEFT JOIN reconcile.rollback_held AS h ON h.system = x.system AND h.entity = x.entity AND h.field = x.field
    AND h.vendor_id = x.vendor_id AND h.vendor_sub_id = x.vendor_sub_id
  LEFT JOIN (SELECT DISTINCT r.system, r.entity FROM policy.requests AS r) AS q ON q.system = x.system AND q.entity = x.entity
  LEFT JOIN (SELECT DISTINCT r.system, r.entity FROM policy.clears AS r) AS e ON e.system = x.system AND e.entity = x.entity
  LEFT JOIN (
    SELECT r.system, r.entity, bool_and(r.is_complete) AS is_complete FROM reads.verdicts AS r GROUP BY r.system, r.entity
  ) AS v ON v.system = x.system AND v.entity = x.entity
), told AS (
  SELECT f.rollback_id, f.plan_id, f.correction_key, f.author, f.reason, f.said_at, f.system, f.entity, f.field, f.vendor_id,
    f.vendor_sub_id, f.currency, f.before, f.after, f.observed, f.written_at, f.status, f.is_made_again,
    CASE
      WHEN f.status = 'unknown' THEN {'state': 'open', 'rule': 'unknown end', 'why': 'Whether this was written is not known yet; the next night reads it back.'}
      WHEN f.status IS NULL THEN {'state': 'not_written', 'rule': 'not written', 'why': 'This was not written.'}
      WHEN f.entity = 'consents' AND f.drift_class = 'lower'
        THEN {'state': 'kept', 'rule': 'permission', 'why': 'An opt-out stays: a permission is never raised back without proof.'}
      WHEN f.entity = 'consents'
        THEN {'state': 'kept', 'rule': 'permission', 'why': concat('A permission is not rolled back: mark it as withdrawn in ', f.system, ', and the no reaches every system.')}
      WHEN starts_with(f.vendor_id, 'new:')
        THEN {'state': 'kept', 'rule': 'made record', 'why': 'trueup deletes nothing, what it has made neither; a person does.'}
      WHEN f.is_request
        THEN {'state': 'kept', 'rule': 'request', 'why': concat('A write to ', f.system, ' is a file that somebody imports: take it away, or import the value from before.')}
      WHEN f.is_undone THEN {'state': 'done', 'rule': 'done', 'why': 'Rolled back.'}
      WHEN NOT f.is_read
        THEN {'state': 'unread', 'rule': 'unread', 'why': concat('The ', f.entity, ' of ', f.system, ' were not read whole tonight.')}
      WHEN f.is_away
        THEN {'state': 'gone', 'rule': 'gone', 'why': 'The record is not there any more, or says nothing that can be compared.'}
      WHEN f.is_other_money THEN {'state': 'changed', 'rule': 'changed', 'why': 'The currency is another by now.'}
      WHEN f.is_before THEN {'state': 'restored', 'rule': 'restored', 'why': 'What stood there before stands there again.'}
      WHEN f.is_overwritten
        THEN {'state': 'kept', 'rule': 'later write', 'why': concat('Plan ', f.last_plan, ' has written this value since; roll that back first.')}
      WHEN NOT f.is_after
        THEN {'state': 'changed', 'rule': 'changed', 'why': concat('Somebody has changed it in ', f.system, ' since trueup wrote it on ', strftime(timezone('UTC', f.written_at), '%Y-%m-%d %H:%M'), ' UTC.')}
      WHEN f.before IS NULL AND f.entity = 'customers' AND NOT f.can_clear
        THEN {'state': 'kept', 'rule': 'blank', 'why': concat('Nothing stood there before, and trueup empties no field of ', f.system, '; a person has to.')}
      WHEN f.before IS NULL AND NOT (f.entity = 'customers' OR (f.entity = 'prices' AND f.field = 'compare_at'))
        THEN {'state': 'kept', 'rule': 'blank', 'why': 'Nothing stood there before, and a blank is never written; a person has to.'}
      WHEN NOT f.is_current
        THEN {'state': 'expired', 'rule': 'expired', 'why': 'The order is older than 7 days; say it again.'}
      ELSE {'state': 'restore', 'rule': 'rollback', 'why': 'It still stands as trueup wrote it.'}
    END AS verdict
  FROM facts AS f
), grouped AS (
  SELECT t.rollback_id, t.plan_id, t.correction_key, t.author, t.reason, t.said_at, t.system, t.entity, t.field, t.vendor_id,
    t.vendor_sub_id, t.currency, t.before, t.after, t.observed, t.written_at, t.verdict, t.status = 'applied' AND NOT t.is_made_again AS stands,
    t.verdict.state = 'restore' AND CASE
      WHEN t.entity = 'customers' AND t.field IN ('street', 'city', 'postcode')
        THEN bool_or(t.field IN ('street', 'city', 'postcode') AND t.verdict.state NOT IN ('restore', 'restored', 'not_written', 'done')) OVER record
      WHEN t.entity = 'prices' AND t.field = 'compare_at' AND t.before IS NOT NULL
        THEN bool_or(t.field = 'amount' AND t.verdict.state NOT IN ('restore', 'restored', 'not_written', 'done')) OVER record
      ELSE false
    END AS is_torn
  FROM told AS t
  WINDOW record AS (PARTITION BY t.plan_id, t.system, t.entity, t.vendor_id, t.vendor_sub_id)
)
SELECT g.rollback_id, g.plan_id, g.correction_key, g.system, g.entity, g.field, g.vendor_id, g.vendor_sub_id, g.currency, g.before,
  g.after, g.observed, g.written_at,
  CASE WHEN g.is_torn THEN 'kept' ELSE g.verdict.state END AS state,
  CASE WHEN g.is_torn THEN 'one value' ELSE g.verdict.rule END AS rule,
  CASE WHEN g.is_torn AND g.entity = 'customers' THEN 'An address is one value, and another part of it stays.'
    WHEN g.is_torn THEN 'The price beside it stays.' ELSE g.verdict.why END AS why,
  coalesce(g.stands, false) AS stands, g.author, g.reason, g.said_at
FROM grouped AS g
