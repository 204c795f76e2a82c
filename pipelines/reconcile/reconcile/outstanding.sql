-- grain: one movement outside the authority that the authority has not been told of, or one hold that no movement stands for
-- key: system, movement_id
-- why: the terms that connect a counter in the till with one in the webshop. `fulfilled`: the units have left, so they
--      are to come off the authority's on_hand. `open`: they are promised, so they come off what can be sold. `held`: so
--      do those that wait for a customer behind the counter; they are promised once, never open beside it. A cancelled
--      order is neither; nor is an open one whose hold has expired or is an orphan: its units are for sale again.
--      Quantities are signed as the system's own counter moved; an order is negative.
--      Settled once it is proven that the authority has been told (pipelines.agree), or its own log shows it (logged.sql).
--      A hold of the till alone moves no counter: what its count is not already without is held by the hold itself.
WITH moved AS (
  SELECT m.system, m.movement_id, m.item_id, m.location_id, m.quantity,
    CASE
      WHEN m.order_state = 'fulfilled' OR h.state IS NULL THEN m.order_state
      ELSE CASE h.state WHEN 'placed' THEN 'held' WHEN 'collected' THEN 'fulfilled' WHEN 'cancelled' THEN 'open' END
    END AS term
  FROM reconcile.movement_log AS m
  LEFT JOIN reconcile.holds AS h ON h.system = m.system AND h.hold_id = m.hold_id
  WHERE m.settled_night IS NULL AND m.authority <> m.system AND m.item_id IS NOT NULL AND m.order_state IN ('open', 'fulfilled')
)
SELECT v.system, v.movement_id, v.item_id, v.location_id, v.term, v.quantity, false AS is_of_hold_alone
FROM moved AS v
WHERE v.term IS NOT NULL
UNION ALL
SELECT h.system, h.hold_id, h.item_id, h.location_id, 'held', h.taken - h.quantity, true
FROM reconcile.holds AS h
WHERE h.state = 'placed' AND h.quantity > h.taken AND NOT EXISTS (
  SELECT 1 FROM reconcile.movement_log AS m WHERE m.system = h.system AND m.hold_id = h.hold_id AND m.authority <> m.system)
