-- grain: one golden item and one system that is expected to carry it
-- key: item_id, system
-- why: missing, unpublished and deleted are three states, and each is proven by the complete read of tonight that shows
--      it. Without one, and where a record that could be the item is in quarantine, the state is unknown: an unread item
--      is not an absent one. Expected is what a system ever carried and, by policy, the further variants of a product of
--      which it carries at least half of the others, or all that is active; what is in one system by design asks nothing
--      of the rest. A census or a delta of tonight is the proof; `census_at` says since when a vendor that tells of no
--      deletion was last read whole.
WITH bound AS (
  SELECT b.system, b.vendor_id, b.item_id, b.bound_at
  FROM ledger.identity.items AS b
  QUALIFY row_number() OVER (PARTITION BY b.system, b.vendor_id ORDER BY b.bound_at DESC, b.item_id) = 1
), ever AS (
  SELECT b.system, b.item_id, arg_max(b.vendor_id, {'at': b.bound_at, 'vendor_id': b.vendor_id}) AS vendor_id, min(b.bound_at) AS bound_at
  FROM bound AS b
  GROUP BY b.system, b.item_id
), held AS (
  SELECT m.system, m.item_id, m.vendor_id, i.status, i.parent_id
  FROM reconcile.item_matches AS m
  JOIN staged.items AS i ON i.system = m.system AND i.vendor_id = m.vendor_id
), products AS (
  SELECT DISTINCT h.system, h.parent_id, h.item_id FROM held AS h WHERE h.parent_id IS NOT NULL
), shares AS (
  SELECT p.system AS told_by, p.parent_id, a.system, count(*) AS variant_count, count(h.item_id) AS held_count
  FROM products AS p
  JOIN policy.assortment AS a ON a.system <> p.system AND a.carries IN ('products', 'all')
  LEFT JOIN (SELECT DISTINCT x.system, x.item_id FROM held AS x) AS h ON h.system = a.system AND h.item_id = p.item_id
  GROUP BY p.system, p.parent_id, a.system
), wanted AS (
  SELECT e.item_id, e.system, 'carried' AS expected_by, 1 AS step FROM ever AS e
  UNION ALL
  SELECT p.item_id, s.system, 'product', 2
  FROM products AS p
  JOIN shares AS s ON s.told_by = p.system AND s.parent_id = p.parent_id AND s.held_count > 0 AND 2 * s.held_count >= s.variant_count - 1
  UNION ALL
  SELECT g.item_id, a.system, 'all', 3
  FROM golden.items AS g
  JOIN policy.assortment AS a ON a.carries = 'all'
), expected AS (
  SELECT w.item_id, w.system, arg_min(w.expected_by, w.step) AS expected_by
  FROM wanted AS w
  JOIN golden.items AS g ON g.item_id = w.item_id
  JOIN policy.assortment AS a ON a.system = w.system
  LEFT JOIN policy.left_out AS l ON l.system = w.system AND norm_sku(l.sku) = g.sku
  WHERE l.system IS NULL AND (w.expected_by = 'carried' OR g.status = 'active')
  GROUP BY w.item_id, w.system
), verdicts AS (
  SELECT v.system, bool_and(v.is_complete) AS is_complete, string_agg(v.reason, '; ' ORDER BY v.reason) FILTER (NOT v.is_complete) AS reason
  FROM reads.verdicts AS v
  WHERE v.entity = 'items'
  GROUP BY v.system
), reads AS (
  SELECT r.system, CASE WHEN bool_and(r.kind = 'census') THEN 'census' ELSE 'delta' END AS proof, min(r.finished_at) AS proved_at
  FROM ledger.sync.reads AS r
  JOIN estate.night AS n ON n.night_id = r.night_id
  WHERE r.is_complete AND list_contains(r.entities, 'items')
  GROUP BY r.system
), censuses AS (
  SELECT c.system, min(c.finished_at) AS census_at
  FROM (
    SELECT r.system, r.endpoint, max(r.finished_at) AS finished_at
    FROM ledger.sync.reads AS r
    WHERE r.is_complete AND r.kind = 'census' AND list_contains(r.entities, 'items')
    GROUP BY r.system, r.endpoint
  ) AS c
  GROUP BY c.system
), kept_out AS (
  SELECT q.system, q.vendor_id, min(q.reason) AS reason FROM staged.quarantine AS q WHERE q.entity = 'items' GROUP BY q.system, q.vendor_id
), of_item AS (
  SELECT k.system, coalesce(b.item_id, g.item_id, t.item_id) AS item_id, min(k.vendor_id) AS vendor_id,
    arg_min(k.reason, k.vendor_id) AS reason
  FROM kept_out AS k
  LEFT JOIN bound AS b ON b.system = k.system AND b.vendor_id = k.vendor_id
  LEFT JOIN reconcile.item_records AS r ON r.system = k.system AND r.vendor_id = k.vendor_id
  LEFT JOIN golden.items AS g ON g.sku = CASE WHEN b.item_id IS NULL THEN r.sku_norm END
  LEFT JOIN golden.items AS t ON t.gtin = CASE WHEN b.item_id IS NULL THEN r.gtin_norm END
  GROUP BY k.system, coalesce(b.item_id, g.item_id, t.item_id)
), unreadable AS (
  SELECT k.system, count(*) AS record_count
  FROM kept_out AS k
  WHERE NOT EXISTS (SELECT 1 FROM reconcile.item_records AS r WHERE r.system = k.system AND r.vendor_id = k.vendor_id)
    AND NOT EXISTS (SELECT 1 FROM bound AS b WHERE b.system = k.system AND b.vendor_id = k.vendor_id)
  GROUP BY k.system
), there AS (
  SELECT h.system, h.item_id, arg_min(h.vendor_id, {'is_hidden': h.status <> 'active', 'vendor_id': h.vendor_id}) AS vendor_id,
    arg_min(h.status, {'is_hidden': h.status <> 'active', 'vendor_id': h.vendor_id}) AS status
  FROM held AS h
  GROUP BY h.system, h.item_id
), judged AS (
  SELECT x.item_id, x.system, x.expected_by, coalesce(t.vendor_id, o.vendor_id, e.vendor_id) AS vendor_id, r.proof, r.proved_at,
    c.census_at, t.status, o.vendor_id AS kept_out_id, o.reason AS kept_out_reason, e.vendor_id AS bound_id, e.bound_at,
    u.record_count, v.reason AS unread_reason, coalesce(v.is_complete, false) AND r.proof IS NOT NULL AS is_read,
    CASE
      WHEN NOT (coalesce(v.is_complete, false) AND r.proof IS NOT NULL) THEN 'unknown'
      WHEN t.status = 'active' THEN 'listed'
      WHEN t.status IS NOT NULL THEN 'unpublished'
      WHEN t.vendor_id IS NOT NULL OR o.vendor_id IS NOT NULL THEN 'unknown'
      WHEN e.vendor_id IS NOT NULL THEN 'deleted'
      WHEN u.record_count > 0 THEN 'unknown'
      ELSE 'missing'
    END AS state
  FROM expected AS x
  LEFT JOIN there AS t ON t.system = x.system AND t.item_id = x.item_id
  LEFT JOIN of_item AS o ON o.system = x.system AND o.item_id = x.item_id
  LEFT JOIN ever AS e ON e.system = x.system AND e.item_id = x.item_id
  LEFT JOIN unreadable AS u ON u.system = x.system
  LEFT JOIN verdicts AS v ON v.system = x.system
  LEFT JOIN reads AS r ON r.system = x.system
  LEFT JOIN censuses AS c ON c.system = x.system
)
SELECT j.item_id, j.system, j.expected_by, j.state, j.vendor_id,
  CASE WHEN j.state <> 'unknown' THEN j.proof END AS proof,
  CASE WHEN j.state <> 'unknown' THEN j.proved_at END AS proved_at,
  CASE WHEN j.state <> 'unknown' THEN j.census_at END AS census_at,
  CASE j.state
    WHEN 'listed' THEN concat(j.system, ' lists it')
    WHEN 'unpublished' THEN concat(j.system, ' has it, but does not show it: ', j.status)
    WHEN 'deleted' THEN concat('its record of ', strftime(timezone('UTC', j.bound_at), '%Y-%m-%d'), ' is no longer there')
    WHEN 'missing' THEN
      CASE j.expected_by WHEN 'product' THEN concat(j.system, ' carries other variants of the product, and no record of this one')
        ELSE concat(j.system, ' is to carry all that is active, and has no record of it') END
    ELSE CASE
      WHEN NOT j.is_read THEN concat_ws(': ', concat(j.system, ' was not read whole'), nullif(j.unread_reason, ''))
      WHEN j.kept_out_id IS NOT NULL THEN concat('a record of it is in quarantine: ', j.kept_out_reason)
      WHEN j.record_count > 0 THEN concat('records of ', j.system, ' that cannot be read could be it: ', j.record_count)
      ELSE 'its status is not told'
    END
  END AS reason
FROM judged AS j
