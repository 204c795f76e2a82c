-- grain: units in stock of one variation at one location; counts of deleted variations are left out
-- key: vendor_id, vendor_location_id
-- why: Square counts units on hand and knows nothing of what is committed or available. Quantities are decimal
--      strings; half a unit, fewer than none or a hundred thousand at one place are no counts of ours. Whether a
--      variation is tracked may be said anew for one location.
WITH variations AS (
  SELECT
    id AS vendor_id,
    from_json(payload, '{"is_deleted":"VARCHAR","item_variation_data":{"track_inventory":"VARCHAR",
      "location_overrides":[{"location_id":"VARCHAR","track_inventory":"VARCHAR"}]}}') AS o
  FROM raw_square.catalog_objects
  WHERE payload ->> '$.type' = 'ITEM_VARIATION'
),

overrides AS (
  SELECT vendor_id, override.location_id AS vendor_location_id, override.track_inventory = 'true' AS is_tracked
  FROM (SELECT vendor_id, unnest(o.item_variation_data.location_overrides) AS override FROM variations) AS unnested
  WHERE override.track_inventory IS NOT NULL
),

counts AS (
  SELECT
    from_json(payload, '{"catalog_object_id":"JSON","location_id":"JSON","state":"JSON","quantity":"VARCHAR",
      "calculated_at":"VARCHAR"}') AS c
  FROM raw_square.inventory_counts
),

read AS (
  SELECT
    as_key(c.catalog_object_id) AS vendor_id,
    as_key(c.location_id) AS vendor_location_id,
    c.catalog_object_id AS item_json,
    c.location_id AS location_json,
    c.state AS state_json,
    c.quantity AS quantity,
    to_units(c.quantity) AS on_hand,
    c.calculated_at AS calculated_at
  FROM counts
  WHERE coalesce(as_key(c.state), 'IN_STOCK') = 'IN_STOCK'
)

SELECT
  r.vendor_id,
  r.vendor_location_id,
  r.on_hand,
  CAST(NULL AS BIGINT) AS committed,
  CAST(NULL AS BIGINT) AS available,
  coalesce(w.is_tracked, v.o.item_variation_data.track_inventory = 'true', FALSE) AS is_tracked,
  r.calculated_at AS version,
  to_moment(r.calculated_at) AS updated_at,
  '{}' AS write_context,
  problems([
    key_problem(r.item_json, 'item'),
    key_problem(r.location_json, 'location'),
    key_problem(r.state_json, 'state'),
    missing_problem(r.quantity IS NULL, 'on_hand'),
    count_problem(r.quantity IS NOT NULL AND r.on_hand IS NULL, 'on_hand'),
    negative_problem(r.on_hand, 'on_hand'),
    too_many_problem(r.on_hand, 'on_hand')
  ]) AS problems
FROM read AS r
LEFT JOIN variations AS v ON v.vendor_id = r.vendor_id AND coalesce(v.o.is_deleted, 'false') <> 'true'
LEFT JOIN overrides AS w ON w.vendor_id = r.vendor_id AND w.vendor_location_id = r.vendor_location_id
WHERE v.vendor_id IS NOT NULL OR r.vendor_id IS NULL
