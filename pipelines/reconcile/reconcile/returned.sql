-- grain: one return that the authority's own log shows too
-- key: system, movement_id
-- why: what was bought on the web and is brought to a shop is put back once, though the webshop refunds it and the till takes
--      it in. The till has no sale of its own to link it to, so its log calls it a restock (Square: an unlinked return).
--      The same number of units of the same item at the same place within three days (as late as an offline till may tell)
--      are the same units; one entry of the till's log stands for one return alone, and never again (`settled_by`).
WITH web AS (
  SELECT m.system, m.movement_id, l.item_id, l.location_id, m.quantity, m.occurred_at
  FROM staged.movements AS m
  JOIN ledger.identity.movements AS l ON l.system = m.system AND l.movement_id = m.movement_id
  WHERE l.settled_night IS NULL AND m.kind = 'restock' AND m.order_state = 'fulfilled' AND m.quantity > 0
), till AS (
  SELECT m.system, m.movement_id, l.item_id, l.location_id, m.quantity, m.occurred_at
  FROM staged.movements AS m
  JOIN ledger.identity.movements AS l ON l.system = m.system AND l.movement_id = m.movement_id
  JOIN estate.stock_rules AS r ON r.location_id = l.location_id AND r.authority = m.system
  WHERE m.kind = 'restock' AND EXISTS (SELECT 1 FROM web AS w WHERE w.item_id = l.item_id)
    AND NOT EXISTS (SELECT 1 FROM ledger.identity.movements AS u WHERE u.settled_by = m.movement_id AND u.location_id = l.location_id)
), near AS (
  SELECT w.system, w.movement_id, w.item_id, w.location_id, w.quantity, w.occurred_at, t.movement_id AS till_id,
    t.occurred_at AS till_at
  FROM web AS w
  JOIN till AS t ON t.item_id = w.item_id AND t.location_id = w.location_id AND t.quantity = w.quantity
    AND t.occurred_at BETWEEN w.occurred_at - INTERVAL 3 DAY AND w.occurred_at + INTERVAL 3 DAY
), webs AS (
  SELECT x.system, x.movement_id, x.item_id, x.location_id, x.quantity,
    row_number() OVER (PARTITION BY x.item_id, x.location_id, x.quantity ORDER BY x.occurred_at, x.system, x.movement_id) AS place
  FROM (SELECT DISTINCT n.system, n.movement_id, n.item_id, n.location_id, n.quantity, n.occurred_at FROM near AS n) AS x
), tills AS (
  SELECT x.till_id, x.item_id, x.location_id, x.quantity,
    row_number() OVER (PARTITION BY x.item_id, x.location_id, x.quantity ORDER BY x.till_at, x.till_id) AS place
  FROM (SELECT DISTINCT n.till_id, n.item_id, n.location_id, n.quantity, n.till_at FROM near AS n) AS x
)
SELECT w.system, w.movement_id, t.till_id AS settled_by
FROM webs AS w
JOIN tills AS t ON t.item_id = w.item_id AND t.location_id = w.location_id AND t.quantity = w.quantity AND t.place = w.place
