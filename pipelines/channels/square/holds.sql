-- grain: one line of an order that a customer picks up, of one fulfilment
-- key: hold_id: order|fulfilment|line
-- why: the till sets goods aside for a PICKUP fulfilment until it is completed, cancelled or has failed. `expires_at` counts
--      only until work on it has begun (PROPOSED). `reference` is the order of another system that it was made for.
--      `taken`: units that Square's own count is already without, by its log of that order: what is paid for ahead is
--      SOLD, and must not be kept back again. An order that is closed while its fulfilment is not is an orphan.
WITH orders AS (
  SELECT
    id AS order_id,
    payload,
    payload -> '$.location_id' AS location_json,
    payload -> '$.reference_id' AS reference_json,
    payload ->> '$.state' AS order_state,
    payload ->> '$.created_at' AS created_at,
    payload ->> '$.updated_at' AS updated_at
  FROM raw_square.orders
  WHERE json_type(payload, '$.fulfillments') <> 'NULL' AND payload ->> '$.state' IS DISTINCT FROM 'DRAFT'
),

fulfilments AS (
  SELECT
    order_id,
    unnest(CASE WHEN json_type(payload, '$.fulfillments') = 'ARRAY' THEN from_json(payload -> '$.fulfillments', '["JSON"]')
      ELSE [NULL] END) AS f
  FROM orders
),

pickups AS (
  SELECT
    order_id,
    f,
    as_key(f -> '$.uid') AS uid,
    as_key(f -> '$.state') AS state,
    coalesce(as_key(f -> '$.line_item_application'), 'ALL') = 'ENTRY_LIST' AS is_of_entries,
    f ->> '$.pickup_details.placed_at' AS placed_at,
    f ->> '$.pickup_details.expires_at' AS expires_at,
    coalesce(json_type(f, '$.pickup_details.expired_at'), 'NULL') <> 'NULL' AS has_expired,
    coalesce(wrong_kinds(json_type(f, ['$.type', '$.line_item_application', '$.entries', '$.pickup_details']),
      ['VARCHAR', 'VARCHAR', 'ARRAY', 'OBJECT'], ['kind', 'lines', 'lines', 'pickup']), [])
    || wrong_elements(json_type(f, '$.entries[*]'), 'OBJECT', 'lines')
    || wrong_elements(json_type(f, '$.entries[*].line_item_uid'), 'VARCHAR', 'lines')
    || wrong_elements(json_type(f, '$.entries[*].quantity'), 'VARCHAR', 'lines')
    || problems([
      problem(coalesce(json_type(f), 'NULL') <> 'OBJECT', 'fulfilment', 'wrong type', 'unknown value'),
      CASE WHEN json_type(f) = 'OBJECT' THEN key_problem(f -> '$.uid', 'fulfilment') END,
      CASE WHEN json_type(f) = 'OBJECT' THEN key_problem(f -> '$.state', 'state') END,
      moment_problem(coalesce(json_type(f, '$.pickup_details.expired_at'), 'NULL') <> 'NULL'
        AND to_moment(f ->> '$.pickup_details.expired_at') IS NULL, 'expired_at')
    ]) AS misshapen
  FROM fulfilments
  WHERE coalesce(as_key(f -> '$.type'), 'PICKUP') = 'PICKUP'
),

lines AS (
  SELECT
    order_id,
    unnest(CASE WHEN json_type(payload, '$.line_items') = 'ARRAY' THEN from_json(payload -> '$.line_items', '["JSON"]') ELSE [] END)
      AS line
  FROM orders
),

entries AS (
  SELECT e.order_id, e.uid, e.entry ->> '$.line_item_uid' AS line_uid, sum(to_units(e.entry ->> '$.quantity')) AS quantity,
    bool_and(coalesce(to_units(e.entry ->> '$.quantity') >= 0, false)) AS is_whole
  FROM (
    SELECT p.order_id, p.uid, unnest(from_json(p.f -> '$.entries', '["JSON"]')) AS entry
    FROM pickups AS p
    WHERE p.is_of_entries AND len(p.misshapen) = 0
  ) AS e
  GROUP BY e.order_id, e.uid, e.entry ->> '$.line_item_uid'
),

left_by_order AS (
  SELECT
    payload ->> '$.adjustment.transaction_id' AS order_id,
    payload ->> '$.adjustment.catalog_object_id' AS vendor_id,
    payload ->> '$.adjustment.location_id' AS vendor_location_id,
    sum(to_units(payload ->> '$.adjustment.quantity') * CASE WHEN payload ->> '$.adjustment.from_state' = 'IN_STOCK' THEN 1 ELSE -1 END)
      AS units
  FROM raw_square.inventory_changes
  WHERE json_type(payload, '$.adjustment.transaction_id') = 'VARCHAR'
    AND (payload ->> '$.adjustment.from_state' = 'IN_STOCK') <> (payload ->> '$.adjustment.to_state' = 'IN_STOCK')
  GROUP BY payload ->> '$.adjustment.transaction_id', payload ->> '$.adjustment.catalog_object_id',
    payload ->> '$.adjustment.location_id'
),

waiting AS (
  SELECT
    concat_ws('|', o.order_id, p.uid, as_key(l.line -> '$.uid')) AS hold_id,
    o.order_id, o.location_json, o.reference_json, o.updated_at,
    l.line -> '$.uid' AS line_json,
    l.line -> '$.catalog_object_id' AS item_json,
    as_key(l.line -> '$.catalog_object_id') AS vendor_id,
    as_key(o.location_json) AS vendor_location_id,
    CASE WHEN e.line_uid IS NOT NULL THEN e.quantity ELSE to_units(l.line ->> '$.quantity') END AS quantity,
    coalesce(e.is_whole, true) AS is_whole,
    CASE
      WHEN p.state IN ('PROPOSED', 'RESERVED', 'PREPARED') THEN
        CASE WHEN o.order_state IN ('COMPLETED', 'CANCELED') THEN 'orphaned' WHEN p.has_expired THEN 'expired' ELSE 'placed' END
      WHEN p.state = 'COMPLETED' THEN 'collected'
      WHEN p.state = 'FAILED' AND p.has_expired THEN 'expired'
      WHEN p.state IN ('CANCELED', 'FAILED') THEN 'cancelled'
    END AS state,
    coalesce(p.placed_at, o.created_at) AS placed_at,
    CASE WHEN p.state = 'PROPOSED' THEN p.expires_at END AS expires_at,
    p.misshapen
  FROM pickups AS p
  JOIN orders AS o ON o.order_id = p.order_id
  JOIN lines AS l ON l.order_id = p.order_id
  LEFT JOIN entries AS e ON e.order_id = p.order_id AND e.uid = p.uid AND e.line_uid = l.line ->> '$.uid'
  WHERE (len(p.misshapen) > 0 OR NOT p.is_of_entries OR e.line_uid IS NOT NULL)
    AND coalesce(json_type(l.line -> '$.catalog_object_id'), 'NULL') <> 'NULL'
)

SELECT
  w.hold_id,
  w.order_id,
  as_key(w.reference_json) AS reference,
  w.vendor_id,
  w.vendor_location_id,
  CAST(w.quantity AS BIGINT) AS quantity,
  CAST(greatest(least(w.quantity, coalesce(t.units, 0) - coalesce(sum(w.quantity) FILTER (w.state IN ('placed', 'collected')) OVER (
    PARTITION BY w.order_id, w.vendor_id ORDER BY w.hold_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)), 0) AS BIGINT)
    AS taken,
  w.state,
  to_moment(w.placed_at) AS placed_at,
  to_moment(w.expires_at) AS expires_at,
  to_moment(w.updated_at) AS updated_at,
  w.misshapen || problems([
    key_problem(w.line_json, 'line'),
    key_problem(w.item_json, 'item'),
    key_problem(w.location_json, 'location'),
    wrong_type_problem(w.reference_json, 'reference', 'VARCHAR'),
    unknown_problem(w.state IS NULL AND len(w.misshapen) = 0, 'state', 'state'),
    count_problem(coalesce(w.quantity, -1) < 0 OR NOT w.is_whole, 'quantity'),
    too_many_problem(w.quantity, 'quantity'),
    moment_problem(to_moment(w.placed_at) IS NULL, 'placed_at'),
    moment_problem(w.expires_at IS NOT NULL AND to_moment(w.expires_at) IS NULL, 'expires_at')
  ]) AS problems
FROM waiting AS w
LEFT JOIN left_by_order AS t ON t.order_id = w.order_id AND t.vendor_id = w.vendor_id AND t.vendor_location_id = w.vendor_location_id
