-- grain: one item at one location where any system keeps a level of it
-- key: item_id, location_id
-- why: what a shop's tablet asks: can it be had here, and since when is that known. Every term of the number stands beside
--   it (see golden.stock), and what is kept back from single systems after it. Unknown, untracked and zero are three
--   answers: a level that could not be worked out tonight, an item that nobody counts, and none left
WITH places AS (
  -- Of the levels themselves: observed.stock has none of what nobody counts. A kit is made of its parts, never counted.
  SELECT o.item_id, l.location_id, bool_or(coalesce(s.is_tracked, o.is_tracked, true)) AS is_tracked
  FROM staged.stock AS s
  JOIN estate.locations AS l ON l.system = s.system AND l.vendor_location_id = s.vendor_location_id
  JOIN observed.items AS o ON o.system = s.system AND o.vendor_id = s.vendor_id
  WHERE NOT EXISTS (SELECT 1 FROM observed.items AS k WHERE k.item_id = o.item_id AND k.is_kit)
  GROUP BY o.item_id, l.location_id
), counted_at AS (
  -- A count is as old as the oldest of the reads that it rests on.
  SELECT e.system, CASE WHEN count(e.read_at) = count(*) THEN min(e.read_at) END AS counted_at
  FROM (
    SELECT r.system, r.endpoint, max(r.finished_at) FILTER (r.is_complete) AS read_at
    FROM ledger.sync.reads AS r
    WHERE list_contains(r.entities, 'stock')
    GROUP BY r.system, r.endpoint
  ) AS e
  GROUP BY e.system
), categories AS (
  SELECT DISTINCT coalesce(fold_text(b.category), '') AS category FROM estate.buffers AS b
  UNION
  SELECT '' WHERE EXISTS (SELECT 1 FROM estate.buffers AS b)
), buffers AS (
  SELECT c.category, x.location_id, list({'system': x.system, 'units': x.units, 'rule': x.rule} ORDER BY x.system) AS buffers
  FROM categories AS c
  JOIN (
    SELECT k.category, b.location_id, b.system, b.units, b.rule
    FROM categories AS k
    JOIN estate.buffers AS b ON coalesce(fold_text(b.category), '') IN (k.category, '')
    QUALIFY row_number() OVER (PARTITION BY k.category, b.location_id, b.system ORDER BY b.category = '') = 1
  ) AS x ON x.category = c.category
  WHERE x.units > 0
  GROUP BY c.category, x.location_id
)
SELECT p.item_id, i.sku, i.title, i.status, p.location_id,
  CASE WHEN NOT (p.is_tracked AND coalesce(i.is_tracked, true)) THEN 'untracked' WHEN s.item_id IS NULL THEN 'unknown' ELSE 'known' END AS state,
  s.on_hand, s.committed, s.held, s.safety, s.available, r.authority, c.counted_at, s.reason, s.safety_rule,
  CASE WHEN s.item_id IS NOT NULL THEN coalesce(b.buffers, []) END AS buffers
FROM places AS p
JOIN estate.stock_rules AS r ON r.location_id = p.location_id
LEFT JOIN golden.items AS i ON i.item_id = p.item_id
LEFT JOIN golden.stock AS s ON s.item_id = p.item_id AND s.location_id = p.location_id AND i.is_tracked IS DISTINCT FROM false
LEFT JOIN counted_at AS c ON c.system = r.authority
LEFT JOIN reconcile.category_items AS k ON k.item_id = p.item_id
LEFT JOIN buffers AS b ON b.location_id = p.location_id
  AND b.category = CASE WHEN k.category IN (SELECT g.category FROM categories AS g) THEN k.category ELSE '' END
