-- grain: one event of points that two systems have counted, with which of the two is doubted
-- key: doubted_system, doubted_id, other_system, other_id
-- why: points earned once must not be spendable twice. The same order is the same event, where its id is one that no
--      two systems give by chance (a bare number is each system's own); else the same card or the same person, as many
--      points and no more time between than the policy says. Each event has one twin in a system at most, the nearest.
--      Doubted is the one of the system that comes later in the order of the policy for points, then the later one.
--      It is told, and never corrected.
WITH persons AS (
  SELECT m.system, m.vendor_id, m.person_id, upper(trim(c.card)) AS card_number
  FROM reconcile.person_matches AS m
  LEFT JOIN staged.customers AS c ON c.system = m.system AND c.vendor_id = m.vendor_id
), events AS (
  SELECT g.system, g.event_id, g.card_id, g.program_id, g.points, g.order_id, g.occurred_at, p.person_id, p.card_number,
    coalesce(s.rank, 1000) AS rank
  FROM ledger.identity.loyalty_events AS g
  LEFT JOIN persons AS p ON p.system = g.system AND p.vendor_id = g.vendor_customer_id
  LEFT JOIN policy.sources AS s ON s.entity = 'customers' AND s.field = 'loyalty_points' AND s.system = g.system
  WHERE g.points <> 0
), pairs AS (
  SELECT a.system, a.event_id, b.system AS other_system, b.event_id AS other_event, 1 AS step
  FROM events AS a
  JOIN events AS b ON b.order_id = a.order_id AND b.system > a.system AND sign(b.points) = sign(a.points)
  WHERE NOT regexp_full_match(a.order_id, '[0-9]+')
  UNION ALL
  SELECT a.system, a.event_id, b.system, b.event_id, 2
  FROM events AS a
  JOIN events AS b ON b.card_number = a.card_number AND b.points = a.points AND b.system > a.system
  CROSS JOIN policy.loyalty AS w
  WHERE abs(epoch(b.occurred_at) - epoch(a.occurred_at)) <= w.same_within_seconds
  UNION ALL
  SELECT a.system, a.event_id, b.system, b.event_id, 3
  FROM events AS a
  JOIN events AS b ON b.person_id = a.person_id AND b.points = a.points AND b.system > a.system
  CROSS JOIN policy.loyalty AS w
  WHERE abs(epoch(b.occurred_at) - epoch(a.occurred_at)) <= w.same_within_seconds
), nearest AS (
  SELECT p.system, p.event_id, p.other_system, p.other_event, p.step
  FROM (
    SELECT q.system, q.event_id, q.other_system, q.other_event, min(q.step) AS step
    FROM pairs AS q
    GROUP BY q.system, q.event_id, q.other_system, q.other_event
  ) AS p
  JOIN events AS a ON a.system = p.system AND a.event_id = p.event_id
  JOIN events AS b ON b.system = p.other_system AND b.event_id = p.other_event
  QUALIFY row_number() OVER (PARTITION BY p.system, p.event_id, p.other_system
      ORDER BY least(p.step, 2), abs(epoch(b.occurred_at) - epoch(a.occurred_at)), b.occurred_at, p.other_event) = 1
    AND row_number() OVER (PARTITION BY p.other_system, p.other_event, p.system
      ORDER BY least(p.step, 2), abs(epoch(b.occurred_at) - epoch(a.occurred_at)), a.occurred_at, p.event_id) = 1
), told AS (
  SELECT n.step, a AS first, b AS second,
    CASE WHEN a.rank <> b.rank THEN a.rank > b.rank WHEN a.occurred_at <> b.occurred_at THEN a.occurred_at > b.occurred_at ELSE false END
      AS is_first_doubted
  FROM nearest AS n
  JOIN events AS a ON a.system = n.system AND a.event_id = n.event_id
  JOIN events AS b ON b.system = n.other_system AND b.event_id = n.other_event
), sided AS (
  SELECT t.step, CASE WHEN t.is_first_doubted THEN t.first ELSE t.second END AS doubted,
    CASE WHEN t.is_first_doubted THEN t.second ELSE t.first END AS kept
  FROM told AS t
)
SELECT s.doubted.system AS doubted_system, s.doubted.event_id AS doubted_id, s.doubted.card_id AS doubted_card,
  s.kept.system AS other_system, s.kept.event_id AS other_id, s.kept.card_id AS other_card,
  coalesce(s.doubted.person_id, s.kept.person_id) AS person_id,
  concat(
    CASE s.step WHEN 1 THEN 'the same order' WHEN 2 THEN 'the same card, as many points' ELSE 'the same person, as many points' END,
    CASE WHEN s.step > 1 THEN concat(', ', CAST(abs(epoch(s.doubted.occurred_at) - epoch(s.kept.occurred_at)) AS BIGINT), ' seconds apart') ELSE '' END,
    CASE WHEN s.doubted.rank > s.kept.rank THEN concat('; ', s.kept.system, ' comes first for points')
      ELSE '; the later one is doubted' END
  ) AS reason
FROM sided AS s
