-- grain: one row per variant and stock location at which it has a level
-- key: vendor_id, vendor_location_id
-- why: an order allocates units at once and takes them off the shelf when it is fulfilled, so what can be sold is on hand
--      less allocated. Vendure takes levels below zero, and shows them; those of an untracked variant mean nothing
WITH given AS (
  SELECT
    id,
    payload ->> '$.trackInventory' AS tracked,
    payload -> '$.stockLevels' AS levels,
    wrong_kinds(json_type(payload, ['$.trackInventory', '$.stockLevels']), ['VARCHAR', 'ARRAY'], ['is_tracked', 'on_hand'])
      AS misshapen
  FROM raw_vendure.stock_levels
),
shop AS (
  SELECT max(payload ->> '$.settings.trackInventory') AS tracks FROM raw_vendure.shop
),
listed AS (
  SELECT
    id, tracked, misshapen,
    unnest(CASE WHEN json_type(levels) = 'ARRAY' THEN from_json(levels, '["JSON"]') ELSE [NULL] END) AS level
  FROM given
  WHERE json_type(levels) <> 'ARRAY' OR json_array_length(levels) > 0
),
read AS (
  SELECT
    l.id,
    l.misshapen,
    l.level -> '$.stockLocationId' AS location,
    l.level ->> '$.stockOnHand' AS on_hand,
    l.level ->> '$.stockAllocated' AS committed,
    l.level ->> '$.updatedAt' AS updated_at,
    CASE l.tracked WHEN 'INHERIT' THEN s.tracks ELSE lower(l.tracked) END AS tracked
  FROM listed AS l
  CROSS JOIN shop AS s
)
SELECT
  id AS vendor_id,
  as_key(location) AS vendor_location_id,
  TRY_CAST(on_hand AS BIGINT) AS on_hand,
  TRY_CAST(committed AS BIGINT) AS committed,
  TRY_CAST(on_hand AS BIGINT) - TRY_CAST(committed AS BIGINT) AS available,
  CASE tracked WHEN 'true' THEN true WHEN 'false' THEN false END AS is_tracked,
  CAST(NULL AS VARCHAR) AS version,
  to_moment(updated_at) AS updated_at,
  CAST(NULL AS VARCHAR) AS write_context,
  misshapen || problems([
    key_problem(location, 'location'),
    problem(coalesce(tracked, '') NOT IN ('true', 'false'), 'is_tracked', 'not true or false', 'unknown value'),
    count_problem(on_hand IS NULL OR NOT regexp_full_match(on_hand, '-?[0-9]{1,10}'), 'on_hand'),
    large_problem(abs(TRY_CAST(on_hand AS BIGINT)) > 1000000000, 'on_hand'),
    count_problem(committed IS NULL OR NOT regexp_full_match(committed, '-?[0-9]{1,10}'), 'committed'),
    large_problem(abs(TRY_CAST(committed AS BIGINT)) > 1000000000, 'committed')
  ]) AS problems
FROM read
