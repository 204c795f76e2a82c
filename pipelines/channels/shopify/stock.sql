-- grain: one row per variant and location where its inventory item is stocked
-- key: vendor_id, vendor_location_id
-- why: a level belongs to an inventory item, which the variant names; a level whose variant is gone is left out.
--      Available may be below zero (oversold); an untracked item's numbers mean nothing and are marked so
WITH levels AS (
  SELECT
    from_json(payload, '{"id": "VARCHAR", "updatedAt": "VARCHAR", "item": {"id": "JSON"}, "__parentId": "JSON",
      "quantities": [{"name": "VARCHAR", "quantity": "VARCHAR"}]}') AS v
  FROM raw_shopify.inventory_levels
),
quantities AS (
  SELECT v.id AS id, unnest(v.quantities) AS q FROM levels
),
named AS (
  SELECT
    id,
    max(CASE WHEN q.name = 'available' THEN q.quantity END) AS available,
    max(CASE WHEN q.name = 'on_hand' THEN q.quantity END) AS on_hand,
    max(CASE WHEN q.name = 'committed' THEN q.quantity END) AS committed
  FROM quantities
  GROUP BY id
),
variants AS (
  SELECT
    id,
    payload ->> '$.inventoryItem.id' AS item_id,
    payload ->> '$.inventoryItem.tracked' AS tracked
  FROM raw_shopify.variants
)
SELECT
  x.id AS vendor_id,
  as_key(l.v.__parentId) AS vendor_location_id,
  TRY_CAST(n.on_hand AS BIGINT) AS on_hand,
  TRY_CAST(n.committed AS BIGINT) AS committed,
  TRY_CAST(n.available AS BIGINT) AS available,
  CASE x.tracked WHEN 'true' THEN true WHEN 'false' THEN false END AS is_tracked,
  CAST(NULL AS VARCHAR) AS version,
  to_moment(l.v.updatedAt) AS updated_at,
  CAST(json_object('inventory_item_id', as_key(l.v.item.id), 'level_id', l.v.id) AS VARCHAR) AS write_context,
  problems([
    key_problem(l.v.item.id, 'item'),
    key_problem(l.v.__parentId, 'location'),
    problem(x.id IS NOT NULL AND coalesce(x.tracked, '') NOT IN ('true', 'false'), 'is_tracked', 'not true or false', 'unknown value'),
    missing_problem(n.available IS NULL, 'available'),
    count_problem(n.available IS NOT NULL AND NOT regexp_full_match(n.available, '-?[0-9]{1,10}'), 'available'),
    large_problem(abs(TRY_CAST(n.available AS BIGINT)) > 1000000000, 'available'),
    count_problem(n.on_hand IS NULL OR NOT regexp_full_match(n.on_hand, '-?[0-9]{1,10}'), 'on_hand'),
    large_problem(abs(TRY_CAST(n.on_hand AS BIGINT)) > 1000000000, 'on_hand'),
    count_problem(n.committed IS NULL OR NOT regexp_full_match(n.committed, '[0-9]{1,10}'), 'committed')
  ]) AS problems
FROM levels AS l
LEFT JOIN variants AS x ON x.item_id = as_key(l.v.item.id)
LEFT JOIN named AS n ON n.id = l.v.id
WHERE x.id IS NOT NULL OR as_key(l.v.item.id) IS NULL
