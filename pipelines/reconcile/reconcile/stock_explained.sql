-- grain: one drifted level, with its base and whether known movements account for it
-- key: system, vendor_id, vendor_sub_id
-- why: a level differs from golden every day; the question is whether every unit is accounted for. It is `explained` when
--      both the system and the location's authority hold what their own movements since the base make of it:
--        expected = base + sum of own movements first seen since the base
--        a physical count starts anew: expected = the last count + the movements after it
--      The authority is asked since the base of the SYSTEM that differs. Where its own base has moved on since (it always
--      agrees with itself), its level of that day is found from the other side: what the system then held, plus what is
--      kept back (safety stock and its own buffer; as much of it as there was, where it held 0), plus what was then sold
--      elsewhere and not settled, or held. So a level edited by hand stays unexplained, night after night, until somebody
--      answers; whoever does reads both histories in its reason: what each had, its last five movements, what it has.
WITH fulfilled AS (
  SELECT o.item_id, o.location_id, CAST(-sum(o.quantity) AS BIGINT) AS quantity
  FROM reconcile.outstanding AS o WHERE o.term = 'fulfilled'
  GROUP BY o.item_id, o.location_id
), sided AS (
  SELECT d.system, d.vendor_id, d.vendor_sub_id, d.subject_id, d.subject_sub_id, d.observed, d.authority,
    coalesce(k.units, r.safety_stock) + CASE WHEN d.system <> d.authority THEN coalesce(b.units, w.units, 0) ELSE 0 END AS safety,
    m.vendor_id AS authority_vendor_id, l.vendor_location_id AS authority_location_id,
    d.on_hand + coalesce(f.quantity, 0) AS authority_observed,
    concat(d.authority, ' counts ', d.on_hand + coalesce(f.quantity, 0),
      CASE WHEN f.quantity <> 0 THEN concat(' and has not been told of ', f.quantity, ' fulfilled elsewhere') END) AS reason
  FROM reconcile.stock_drifted AS d
  JOIN estate.stock_rules AS r ON r.location_id = d.subject_sub_id
  JOIN estate.locations AS l ON l.system = d.authority AND l.location_id = d.subject_sub_id
  JOIN reconcile.item_matches AS m ON m.system = d.authority AND m.item_id = d.subject_id
  LEFT JOIN reconcile.category_items AS c ON c.item_id = d.subject_id
  LEFT JOIN estate.safety_rules AS k ON fold_text(k.category) = c.category AND k.location_id = d.subject_sub_id
  LEFT JOIN estate.buffers AS b ON b.system = d.system AND b.location_id = d.subject_sub_id AND fold_text(b.category) = c.category
  LEFT JOIN estate.buffers AS w ON w.system = d.system AND w.location_id = d.subject_sub_id AND w.category = ''
  LEFT JOIN fulfilled AS f ON f.item_id = d.subject_id AND f.location_id = d.subject_sub_id
), wanted AS (
  SELECT s.system, s.vendor_id, s.vendor_sub_id FROM sided AS s
  UNION
  SELECT s.authority, s.authority_vendor_id, s.authority_location_id FROM sided AS s
), bases AS MATERIALIZED (
  SELECT b.system, b.vendor_id, b.vendor_location_id, b.quantity, b.agreed_at
  FROM ledger.agreed.stock AS b
  JOIN wanted AS w ON w.system = b.system AND w.vendor_id = b.vendor_id AND w.vendor_sub_id = b.vendor_location_id
  WHERE b.quantity IS NOT NULL
), based AS (
  SELECT s.system, s.vendor_id, s.vendor_sub_id, s.subject_id, s.subject_sub_id, s.observed, s.authority, s.safety, s.reason,
    s.authority_vendor_id, s.authority_location_id, s.authority_observed, t.quantity AS base, t.agreed_at AS since,
    a.quantity AS authority_base, coalesce(a.agreed_at <= t.agreed_at, false) AS has_authority_base,
    CASE WHEN a.agreed_at <= t.agreed_at THEN a.agreed_at ELSE t.agreed_at END AS authority_since
  FROM sided AS s
  LEFT JOIN bases AS t ON t.system = s.system AND t.vendor_id = s.vendor_id AND t.vendor_location_id = s.vendor_sub_id
  LEFT JOIN bases AS a ON a.system = s.authority AND a.vendor_id = s.authority_vendor_id
    AND a.vendor_location_id = s.authority_location_id
), holds AS (
  SELECT e.system, e.hold_id, e.item_id, e.location_id, sum(e.held) AS held, min(e.seen_at) FILTER (e.event = 'placed') AS placed_at,
    min(e.seen_at) FILTER (e.event IN ('expired', 'orphaned')) AS released_at, min(e.seen_at) FILTER (e.event <> 'placed') AS ended_at
  FROM ledger.identity.hold_events AS e
  WHERE EXISTS (SELECT 1 FROM based AS b WHERE NOT b.has_authority_base)
  GROUP BY e.system, e.hold_id, e.item_id, e.location_id
), unsettled AS (
  SELECT p.system, p.vendor_id, p.vendor_sub_id, CAST(sum(p.units) AS BIGINT) AS quantity
  FROM (
    SELECT b.system, b.vendor_id, b.vendor_sub_id, -m.quantity AS units
    FROM based AS b
    JOIN reconcile.movement_log AS m ON m.item_id = b.subject_id AND m.location_id = b.subject_sub_id
      AND m.system <> b.authority AND m.settled_night IS NULL AND m.first_seen_at <= b.since
    LEFT JOIN holds AS h ON h.system = m.system AND h.hold_id = m.hold_id
    WHERE NOT b.has_authority_base AND (h.released_at IS NULL OR h.released_at > b.since)
    UNION ALL
    SELECT b.system, b.vendor_id, b.vendor_sub_id, h.held
    FROM based AS b
    JOIN holds AS h ON h.item_id = b.subject_id AND h.location_id = b.subject_sub_id AND h.placed_at <= b.since
      AND (h.ended_at IS NULL OR h.ended_at > b.since)
    WHERE NOT b.has_authority_base
  ) AS p
  GROUP BY p.system, p.vendor_id, p.vendor_sub_id
), asked AS (
  SELECT b.system, b.vendor_id, b.vendor_sub_id, b.since FROM based AS b WHERE b.since IS NOT NULL
  UNION
  SELECT b.authority, b.authority_vendor_id, b.authority_location_id, b.authority_since FROM based AS b WHERE b.since IS NOT NULL
), moves AS (
  SELECT q.system, q.vendor_id, q.vendor_sub_id, q.since, m.kind, m.quantity, m.occurred_at, m.movement_id,
    max({'occurred_at': m.occurred_at, 'movement_id': m.movement_id, 'quantity': m.quantity}) FILTER (m.kind = 'count')
      OVER (PARTITION BY q.system, q.vendor_id, q.vendor_sub_id, q.since) AS last_count
  FROM asked AS q
  JOIN reconcile.movement_log AS m ON m.system = q.system AND m.vendor_id = q.vendor_id AND m.vendor_location_id = q.vendor_sub_id
    AND m.first_seen_at > q.since
), sums AS (
  SELECT v.system, v.vendor_id, v.vendor_sub_id, v.since, max(v.last_count.quantity) AS counted,
    CAST(sum(v.quantity) FILTER (v.kind <> 'count' AND (v.last_count IS NULL OR v.occurred_at > v.last_count.occurred_at
      OR (v.occurred_at = v.last_count.occurred_at AND v.movement_id > v.last_count.movement_id))) AS BIGINT) AS moved
  FROM moves AS v
  GROUP BY v.system, v.vendor_id, v.vendor_sub_id, v.since
), histories AS (
  SELECT t.system, t.vendor_id, t.vendor_sub_id, t.since,
    concat(CASE WHEN max(t.place) > 5 THEN concat(', ', max(t.place) - 5, ' movements more') END,
      string_agg(concat(', ', t.kind, ' ', CASE WHEN t.kind <> 'count' AND t.quantity > 0 THEN '+' END, t.quantity, ' (',
        strftime(timezone('UTC', t.occurred_at), '%Y-%m-%d %H:%M'), ' ', t.movement_id, ')'), '' ORDER BY t.occurred_at, t.movement_id)
        FILTER (t.place <= 5)) AS history
  FROM (
    SELECT v.system, v.vendor_id, v.vendor_sub_id, v.since, v.kind, v.quantity, v.occurred_at, v.movement_id,
      row_number() OVER (PARTITION BY v.system, v.vendor_id, v.vendor_sub_id, v.since ORDER BY v.occurred_at DESC, v.movement_id DESC)
        AS place
    FROM moves AS v
  ) AS t
  GROUP BY t.system, t.vendor_id, t.vendor_sub_id, t.since
), expected AS (
  SELECT b.system, b.vendor_id, b.vendor_sub_id, b.observed, b.authority, b.authority_observed, b.base, b.since, b.reason,
    concat(' ', b.system, ' had ', b.base, coalesce(oh.history, ', no movements'), ', has ', b.observed,
      CASE WHEN b.system <> b.authority THEN concat('; ', b.authority,
        CASE WHEN b.has_authority_base THEN concat(' had ', b.authority_base, coalesce(ah.history, ', no movements'))
          ELSE coalesce(ltrim(ah.history, ','), ' shows no movements') END, ', has ', b.authority_observed) END, '.') AS histories,
    coalesce(o.counted, b.base) + coalesce(o.moved, 0) AS own_expected,
    coalesce(o.moved, 0) AS own_moved,
    coalesce(a.counted, CASE WHEN b.has_authority_base THEN b.authority_base ELSE b.base + b.safety + coalesce(u.quantity, 0) END)
      + coalesce(a.moved, 0) AS authority_expected,
    CASE WHEN a.counted IS NULL AND NOT b.has_authority_base AND b.base = 0 THEN b.safety ELSE 0 END AS authority_slack
  FROM based AS b
  LEFT JOIN sums AS o ON o.system = b.system AND o.vendor_id = b.vendor_id AND o.vendor_sub_id = b.vendor_sub_id AND o.since = b.since
  LEFT JOIN sums AS a ON a.system = b.authority AND a.vendor_id = b.authority_vendor_id
    AND a.vendor_sub_id = b.authority_location_id AND a.since = b.authority_since
  LEFT JOIN histories AS oh ON oh.system = b.system AND oh.vendor_id = b.vendor_id AND oh.vendor_sub_id = b.vendor_sub_id
    AND oh.since = b.since
  LEFT JOIN histories AS ah ON ah.system = b.authority AND ah.vendor_id = b.authority_vendor_id
    AND ah.vendor_sub_id = b.authority_location_id AND ah.since = b.authority_since
  LEFT JOIN unsettled AS u ON u.system = b.system AND u.vendor_id = b.vendor_id AND u.vendor_sub_id = b.vendor_sub_id
)
SELECT e.system, e.vendor_id, e.vendor_sub_id, e.base, e.base IS NOT NULL AS has_base,
  CASE
    WHEN e.base IS NULL THEN 'never_agreed'
    WHEN e.observed = e.own_expected AND (e.system = e.authority
      OR e.authority_observed BETWEEN e.authority_expected - e.authority_slack AND e.authority_expected) THEN 'explained'
    ELSE 'unexplained'
  END AS drift_class,
  CASE
    WHEN e.base IS NULL THEN concat(e.reason, '; ', e.system, ' has never agreed with it.')
    WHEN e.observed <> e.own_expected
      THEN concat(e.observed - e.own_expected, ' units in ', e.system, ' are not accounted for by its movements since ',
        strftime(timezone('UTC', e.since), '%Y-%m-%d'), '; ', e.reason, '.', e.histories)
    WHEN e.system <> e.authority
      AND e.authority_observed NOT BETWEEN e.authority_expected - e.authority_slack AND e.authority_expected
      THEN concat(e.authority_observed - e.authority_expected, ' units in ', e.authority,
        ' are not accounted for by its movements since ', strftime(timezone('UTC', e.since), '%Y-%m-%d'), '; ', e.reason, '.', e.histories)
    ELSE concat(e.reason, '; every unit since ', strftime(timezone('UTC', e.since), '%Y-%m-%d'), ' is accounted for.')
  END AS reason
FROM expected AS e
