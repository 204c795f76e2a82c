-- grain: one hold: units of one item set aside at one place for one order, whichever systems show it
-- key: system, hold_id
-- why: counted once, though two systems show it. Whoever saw the goods leave is believed (collected); else the system that
--      took the order says what became of it, and where its hold is over while another still keeps the goods, they are an
--      orphan's. So are those of an order that is there no more: absence counts only once the system's orders were read
--      whole, and nothing of the item there is in quarantine. `taken`: units that the authority's count is already without.
WITH leads AS (
  SELECT r.system, r.hold_id, r.order_id, r.item_id, r.location_id, r.authority, r.state, r.quantity, r.taken, r.placed_at,
    r.expires_at, r.updated_at
  FROM reconcile.hold_records AS r WHERE r.lead_system = r.system AND r.lead_id = r.hold_id
), mirrors AS (
  SELECT r.lead_system AS system, r.lead_id AS hold_id, string_agg(r.system, ', ' ORDER BY r.system) AS systems,
    bool_or(r.state = 'placed') AS is_placed, bool_or(r.state = 'collected') AS is_collected,
    bool_or(r.state = 'expired') AS is_expired,
    max(CASE WHEN r.system = r.authority THEN r.taken ELSE 0 END) AS taken, min(r.expires_at) AS expires_at,
    max(r.updated_at) AS updated_at
  FROM reconcile.hold_records AS r WHERE r.lead_system <> r.system
  GROUP BY r.lead_system, r.lead_id
), remembered AS (
  SELECT e.system, e.hold_id, min(e.order_id) AS order_id, min(e.item_id) AS item_id, min(e.location_id) AS location_id,
    max(e.quantity) AS quantity, min(e.occurred_at) FILTER (e.event = 'placed') AS placed_at
  FROM ledger.identity.hold_events AS e
  GROUP BY e.system, e.hold_id
  HAVING bool_and(e.event = 'placed')
), gone AS (
  SELECT m.system, m.hold_id, m.order_id, m.item_id, m.location_id, r.authority, m.quantity, m.placed_at
  FROM remembered AS m
  JOIN estate.stock_rules AS r ON r.location_id = m.location_id
  JOIN reads.verdicts AS v ON v.system = m.system AND v.entity = 'orders' AND v.is_complete
  WHERE NOT EXISTS (SELECT 1 FROM staged.holds AS h WHERE h.system = m.system AND h.hold_id = m.hold_id)
    AND NOT EXISTS (
      SELECT 1 FROM reconcile.blocked AS x
      WHERE x.system = m.system AND x.item_id = m.item_id AND x.entity IN ('holds', 'movements'))
), every AS (
  SELECT l.system, l.hold_id, l.order_id, l.item_id, l.location_id, l.authority, l.quantity,
    greatest(CASE WHEN l.system = l.authority THEN l.taken ELSE 0 END, coalesce(m.taken, 0)) AS taken, l.placed_at,
    least(l.expires_at, m.expires_at) AS expires_at, greatest(l.updated_at, m.updated_at) AS updated_at, m.systems AS others,
    CASE
      WHEN l.state = 'collected' OR m.is_collected THEN 'collected'
      WHEN l.state = 'orphaned' OR (l.state = 'cancelled' AND m.is_placed) THEN 'orphaned'
      WHEN l.state = 'cancelled' THEN 'cancelled'
      WHEN l.state = 'expired' OR m.is_expired THEN 'expired'
      ELSE 'placed'
    END AS state
  FROM leads AS l
  LEFT JOIN mirrors AS m ON m.system = l.system AND m.hold_id = l.hold_id
  UNION ALL
  SELECT g.system, g.hold_id, g.order_id, g.item_id, g.location_id, g.authority, g.quantity, coalesce(m.taken, 0), g.placed_at,
    m.expires_at, m.updated_at, m.systems, CASE WHEN m.is_collected THEN 'collected' ELSE 'orphaned' END
  FROM gone AS g
  LEFT JOIN mirrors AS m ON m.system = g.system AND m.hold_id = g.hold_id
)
SELECT e.system, e.hold_id, e.order_id, e.item_id, e.location_id, e.authority, e.state, concat_ws(', ', e.system, e.others) AS systems,
  CASE e.state
    WHEN 'placed' THEN concat(e.quantity, ' set aside for order ', e.order_id, ' of ', e.system,
      CASE WHEN e.taken > 0 THEN concat(', ', e.taken, ' of them off the count of ', e.authority, ' already') END)
    WHEN 'collected' THEN concat('order ', e.order_id, ' of ', e.system, ' was collected')
    WHEN 'cancelled' THEN concat('order ', e.order_id, ' of ', e.system, ' was cancelled')
    WHEN 'expired' THEN concat('order ', e.order_id, ' of ', e.system, ' was not collected in time; its ', e.quantity,
      ' are for sale again')
    ELSE concat('order ', e.order_id, ' of ', e.system, ' is closed or gone, and its ', e.quantity, ' are still set aside',
      CASE WHEN e.others <> '' THEN ' in ' || e.others END, '; they are for sale again')
  END AS reason,
  e.quantity, e.taken, e.placed_at, e.expires_at,
  CASE e.state WHEN 'placed' THEN e.placed_at WHEN 'expired' THEN coalesce(e.expires_at, e.updated_at) ELSE e.updated_at END
    AS occurred_at
FROM every AS e
