-- grain: one loyalty card of one system
-- key: system, card_id
-- why: a balance is the sum of its events, or somebody has changed it past them. Of a system that was not read whole, of
--      a card one of whose events is in quarantine, and of one that moved while cards and events were read one after
--      the other, nothing is concluded tonight. Nothing is corrected by this.
WITH counted AS (
  SELECT g.system, g.card_id, sum(g.points) AS explained, count(*) AS event_count, max(g.occurred_at) AS last_at
  FROM ledger.identity.loyalty_events AS g
  GROUP BY g.system, g.card_id
), began AS (
  SELECT r.system, min(r.started_at) AS started_at
  FROM ledger.sync.reads AS r
  JOIN estate.night AS n ON n.night_id = r.night_id
  WHERE list_contains(r.entities, 'loyalty')
  GROUP BY r.system
), verdicts AS (
  SELECT v.system, bool_and(v.is_complete) AS is_complete FROM reads.verdicts AS v WHERE v.entity = 'loyalty' GROUP BY v.system
), unread AS (
  SELECT q.system, count(*) AS event_count FROM staged.quarantine AS q WHERE q.entity = 'loyalty_events' GROUP BY q.system
), held AS (
  SELECT c.system, c.vendor_id AS card_id, c.vendor_customer_id, c.program_id, c.points AS balance, coalesce(k.explained, 0) AS explained,
    coalesce(k.event_count, 0) AS event_count, coalesce(v.is_complete, false) AS is_read, coalesce(u.event_count, 0) AS unread_count,
    coalesce(greatest(c.updated_at, k.last_at) >= b.started_at - INTERVAL 5 MINUTE, false) AS is_moving
  FROM staged.loyalty_cards AS c
  LEFT JOIN counted AS k ON k.system = c.system AND k.card_id = c.vendor_id
  LEFT JOIN began AS b ON b.system = c.system
  LEFT JOIN verdicts AS v ON v.system = c.system
  LEFT JOIN unread AS u ON u.system = c.system
)
SELECT h.system, h.card_id, h.vendor_customer_id, h.program_id, h.balance, CAST(h.explained AS DECIMAL(18, 3)) AS explained,
  h.event_count,
  CASE
    WHEN NOT h.is_read THEN 'unknown'
    WHEN h.balance = h.explained THEN 'explained'
    WHEN h.is_moving THEN 'moving'
    WHEN h.unread_count > 0 THEN 'unknown'
    ELSE 'unexplained'
  END AS state,
  CASE
    WHEN NOT h.is_read THEN concat(h.system, ' was not read whole')
    WHEN h.balance = h.explained THEN 'its events make its balance'
    WHEN h.is_moving THEN 'it moved while it was read'
    WHEN h.unread_count > 0 THEN concat('events of ', h.system, ' that cannot be read: ', h.unread_count)
    WHEN h.event_count = 0 THEN 'it has a balance and no event'
    WHEN h.balance > h.explained THEN 'its balance is more than its events make'
    ELSE 'its balance is less than its events make'
  END AS reason
FROM held AS h
