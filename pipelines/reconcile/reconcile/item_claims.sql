-- grain: one record without a fault of its own, with the item it claims to be
-- key: system, vendor_id
-- why: a binding decides; a record without one takes the item of its GTIN, else of its SKU, else becomes a new item.
--      Systems are asked in the order of the policy, so the same records give the same items in any order of rows.
--      The id of a new item is minted from estate, system, vendor id and night: a repeated run mints the same one, and
--      from then on it is read from the binding, never derived again. Where GTIN and SKU name different items, where a
--      key already belongs to two items, or where one system would hold an item twice, nobody gets it. Nor where a SKU
--      is used again: all who held it are gone or archived, and had another GTIN than a record that has it now.
WITH RECURSIVE free AS (
  SELECT r.system, r.vendor_id, r.rank, r.sku_norm, r.gtin_norm, r.is_archived
  FROM reconcile.item_records AS r
  WHERE r.fault IS NULL AND r.item_id IS NULL
), holders AS (
  SELECT r.item_id, r.sku_norm, r.gtin_norm, false AS is_gone, r.is_archived AS is_former
  FROM reconcile.item_records AS r
  WHERE r.fault IS NULL AND r.item_id IS NOT NULL
  UNION ALL
  SELECT b.item_id, b.sku_norm, b.gtin_norm, true, true
  FROM ledger.identity.items AS b
  WHERE NOT EXISTS (SELECT 1 FROM staged.items AS i WHERE i.system = b.system AND i.vendor_id = b.vendor_id)
  QUALIFY row_number() OVER (PARTITION BY b.system, b.vendor_id ORDER BY b.bound_at DESC, b.item_id) = 1
), known AS (
  SELECT k.kind, k.value, min(k.item_id) AS item_id, count(DISTINCT k.item_id) AS item_count
  FROM (
    SELECT u.kind, u.value, u.item_id
    FROM (
      SELECT 'gtin' AS kind, h.gtin_norm AS value, h.item_id, h.is_gone FROM holders AS h
      WHERE h.gtin_norm IN (SELECT f.gtin_norm FROM free AS f)
      UNION ALL
      SELECT 'sku', h.sku_norm, h.item_id, h.is_gone FROM holders AS h
      WHERE h.sku_norm IN (SELECT f.sku_norm FROM free AS f)
    ) AS u
    QUALIFY rank() OVER (PARTITION BY u.kind, u.value ORDER BY u.is_gone) = 1
  ) AS k
  GROUP BY k.kind, k.value
), reused AS (
  SELECT DISTINCT t.sku_norm
  FROM (
    SELECT f.sku_norm
    FROM free AS f
    JOIN holders AS h ON h.sku_norm = f.sku_norm
    GROUP BY f.system, f.vendor_id, f.sku_norm
    HAVING bool_and(coalesce(h.is_former AND h.gtin_norm <> f.gtin_norm, false))
  ) AS t
), linked AS (
  SELECT f.system, f.vendor_id, f.rank, f.is_archived, u.sku_norm IS NOT NULL AS is_reused,
    kg.item_id AS gtin_item, ks.item_id AS sku_item,
    coalesce(kg.item_count, 0) > 1 AS has_split_gtin, coalesce(ks.item_count, 0) > 1 AS has_split_sku,
    CASE WHEN f.gtin_norm IS NOT NULL THEN first_value({'system': f.system, 'vendor_id': f.vendor_id}) OVER
      (PARTITION BY f.gtin_norm ORDER BY f.rank, f.system, f.vendor_id) END AS gtin_head,
    CASE WHEN f.sku_norm IS NOT NULL THEN first_value({'system': f.system, 'vendor_id': f.vendor_id}) OVER
      (PARTITION BY f.sku_norm ORDER BY f.rank, f.system, f.vendor_id) END AS sku_head
  FROM free AS f
  LEFT JOIN known AS kg ON kg.kind = 'gtin' AND kg.value = f.gtin_norm
  LEFT JOIN known AS ks ON ks.kind = 'sku' AND ks.value = f.sku_norm
  LEFT JOIN reused AS u ON u.sku_norm = f.sku_norm
), steps AS (
  SELECT l.system, l.vendor_id, l.is_archived, l.is_reused, l.gtin_item, l.sku_item, l.has_split_gtin, l.has_split_sku, l.sku_head,
    CASE
      WHEN l.gtin_item IS NOT NULL THEN 'gtin'
      WHEN l.gtin_head.system <> l.system THEN 'gtin'
      WHEN l.sku_item IS NOT NULL THEN 'sku'
      WHEN l.sku_head.system <> l.system THEN 'sku'
      ELSE 'new'
    END AS rule,
    l.sku_head.system <> l.system AS has_sku_head,
    CASE
      WHEN l.gtin_item IS NOT NULL THEN NULL
      WHEN l.gtin_head.system <> l.system THEN l.gtin_head
      WHEN l.sku_item IS NOT NULL THEN NULL
      WHEN l.sku_head.system <> l.system THEN l.sku_head
    END AS next,
    CASE
      WHEN l.gtin_item IS NOT NULL THEN l.gtin_item
      WHEN l.gtin_head.system <> l.system THEN NULL
      ELSE l.sku_item
    END AS item_id
  FROM linked AS l
), walk AS (
  SELECT s.system, s.vendor_id, s.system AS at_system, s.vendor_id AS at_vendor_id, s.next, s.item_id
  FROM steps AS s
  UNION ALL
  SELECT w.system, w.vendor_id, s.system, s.vendor_id, s.next, s.item_id
  FROM walk AS w
  JOIN steps AS s ON s.system = w.next.system AND s.vendor_id = w.next.vendor_id
), roots AS (
  SELECT w.system, w.vendor_id,
    coalesce(w.item_id, CAST(CAST(md5(concat_ws('|', n.estate, w.at_system, w.at_vendor_id, n.night_id)) AS UUID) AS VARCHAR))
      AS item_id
  FROM walk AS w
  CROSS JOIN estate.night AS n
  WHERE w.next IS NULL
), resolved AS (
  SELECT s.system, s.vendor_id, s.is_archived, o.item_id, s.rule, true AS is_new,
    CASE
      WHEN s.has_split_gtin AND s.rule = 'gtin' THEN 'its GTIN already belongs to more than one item'
      WHEN s.has_split_sku AND s.rule IN ('gtin', 'sku') AND s.sku_item IS NOT NULL
        THEN 'its SKU already belongs to more than one item'
      WHEN s.rule = 'gtin' AND coalesce(s.sku_item, h.item_id) <> o.item_id THEN 'its GTIN names one item, its SKU another'
      WHEN s.is_reused THEN 'its SKU was that of another article, which had another GTIN'
    END AS reason
  FROM steps AS s
  JOIN roots AS o ON o.system = s.system AND o.vendor_id = s.vendor_id
  LEFT JOIN roots AS h ON s.has_sku_head AND h.system = s.sku_head.system AND h.vendor_id = s.sku_head.vendor_id
  UNION ALL
  SELECT r.system, r.vendor_id, r.is_archived, r.item_id, 'binding', false, NULL
  FROM reconcile.item_records AS r
  WHERE r.fault IS NULL AND r.item_id IS NOT NULL
), crowded AS (
  SELECT v.system, v.item_id, count(*) FILTER (NOT v.is_archived) AS live_count
  FROM resolved AS v WHERE v.reason IS NULL
  GROUP BY v.system, v.item_id HAVING count(*) > 1
)
SELECT v.system, v.vendor_id, v.item_id, v.rule, v.is_new,
  CASE
    WHEN v.reason IS NOT NULL THEN v.reason
    WHEN c.live_count = 1 AND v.is_archived THEN 'archived, and its item lives on in another record'
    WHEN c.live_count <> 1 THEN concat('claims an item that another record of ', v.system, ' claims too')
  END AS fault
FROM resolved AS v
LEFT JOIN crowded AS c ON c.system = v.system AND c.item_id = v.item_id
