-- grain: one item at one location where any system keeps a level of it
-- key: item_id, location_id
-- why: what a shop's tablet asks: can it be had here, and since when is that known. Every term of the number stands beside
--   it (see golden.stock). Unknown, untracked and zero are three answers: a level that could not be worked out tonight, an
--   item that nobody counts, and none left
WITH places AS (
  SELECT DISTINCT o.item_id, o.location_id FROM observed.stock AS o
), counted_at AS (
  SELECT r.system, max(r.finished_at) AS counted_at
  FROM ledger.sync.reads AS r
  WHERE r.is_complete AND list_contains(r.entities, 'stock')
  GROUP BY r.system
)
SELECT p.item_id, i.sku, i.title, i.status, p.location_id,
  CASE WHEN NOT i.is_tracked THEN 'untracked' WHEN s.item_id IS NULL THEN 'unknown' ELSE 'known' END AS state,
  s.on_hand, s.committed, s.held, s.safety, s.available, r.authority, c.counted_at, s.reason
FROM places AS p
JOIN estate.stock_rules AS r ON r.location_id = p.location_id
LEFT JOIN golden.items AS i ON i.item_id = p.item_id
LEFT JOIN golden.stock AS s ON s.item_id = p.item_id AND s.location_id = p.location_id AND i.is_tracked IS DISTINCT FROM false
LEFT JOIN counted_at AS c ON c.system = r.authority
