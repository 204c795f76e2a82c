-- grain: one row per event that moved what can be sold: a line placed, units added to it later, units cancelled of it
-- key: movement_id: `placed:<line>`, `added:<modification>:<line>`, `cancelled:<history entry>:<line>`
-- why: Vendure's own log of stock is not used: it says neither the place nor, for what is released, the order, and every
--      level set by hand (or by us) stands in it as an adjustment, which is no sale. Its orders tell the same with an id
--      for each event. Where an order goes out from is the estate's word, else the only location; units that wait at
--      another location give the lie to it. A line is fulfilled once no unit of it waits. A line whose events do not add
--      up to its quantity is a problem, never a guess; so is every line of an order of which it cannot be read what was sent
WITH given AS (
  SELECT
    id AS order_id,
    payload,
    payload ->> '$.orderPlacedAt' AS placed_at,
    payload ->> '$.updatedAt' AS updated_at,
    coalesce(TRY_CAST(payload ->> '$.cancellations.totalItems' AS BIGINT) <= json_array_length(payload, '$.cancellations.items'), false)
      AS is_whole
  FROM raw_vendure.orders
),
lines AS (
  SELECT
    g.order_id, g.placed_at, g.updated_at, g.is_whole,
    unnest(CASE WHEN json_type(g.payload, '$.lines') = 'ARRAY' THEN from_json(g.payload -> '$.lines', '["JSON"]') ELSE [NULL] END)
      AS line
  FROM given AS g
  WHERE json_type(g.payload, '$.lines') IS DISTINCT FROM 'ARRAY' OR json_array_length(g.payload, '$.lines') > 0
),
sent AS (
  SELECT
    b.order_id, b.box,
    unnest(CASE WHEN json_type(b.box, '$.lines') = 'ARRAY' THEN from_json(b.box -> '$.lines', '["JSON"]') ELSE [NULL] END) AS line
  FROM (
    SELECT
      order_id,
      unnest(CASE WHEN json_type(payload, '$.fulfillments') = 'ARRAY' THEN from_json(payload -> '$.fulfillments', '["JSON"]')
        WHEN json_type(payload, '$.fulfillments') <> 'NULL' THEN [NULL] ELSE [] END) AS box
    FROM given
  ) AS b
),
unread AS (
  SELECT DISTINCT order_id FROM sent
  WHERE as_key(box -> '$.state') IS NULL OR as_key(line -> '$.orderLineId') IS NULL OR to_units(line ->> '$.quantity') IS NULL
),
fulfilled AS (
  SELECT order_id, line ->> '$.orderLineId' AS line_id, sum(to_units(line ->> '$.quantity')) AS units
  FROM sent
  WHERE coalesce(box ->> '$.state', '') <> 'Cancelled'
  GROUP BY order_id, line ->> '$.orderLineId'
),
added AS (
  SELECT
    m.order_id, m.event -> '$.id' AS event_json, m.event ->> '$.createdAt' AS occurred_at,
    unnest(from_json(m.event -> '$.lines', '["JSON"]')) AS line
  FROM (SELECT order_id, unnest(from_json(payload -> '$.modifications', '["JSON"]')) AS event FROM given) AS m
),
cancelled AS (
  SELECT
    h.order_id, h.event -> '$.id' AS event_json, h.event ->> '$.createdAt' AS occurred_at,
    unnest(from_json(h.event -> '$.data.lines', '["JSON"]')) AS line
  FROM (SELECT order_id, unnest(from_json(payload -> '$.cancellations.items', '["JSON"]')) AS event FROM given) AS h
),
later AS (
  SELECT
    order_id, event_json, 'added:' || as_key(event_json) AS event_id, 'order' AS kind, occurred_at, line ->> '$.orderLineId' AS line_id,
    -to_units(line ->> '$.quantity') AS quantity
  FROM added
  WHERE coalesce(to_units(line ->> '$.quantity'), 1) > 0
  UNION ALL
  SELECT
    order_id, event_json, 'cancelled:' || as_key(event_json), 'cancel', occurred_at, line ->> '$.orderLineId',
    to_units(line ->> '$.quantity')
  FROM cancelled
),
sums AS (
  SELECT order_id, line_id, sum(quantity) AS quantity, bool_and(quantity IS NOT NULL) AS is_read
  FROM later
  GROUP BY order_id, line_id
),
elsewhere AS (
  SELECT v.id, w.level ->> '$.stockLocationId' AS location_id
  FROM raw_vendure.stock_levels AS v, LATERAL (
    SELECT unnest(from_json(v.payload -> '$.stockLevels', '["JSON"]')) AS level
  ) AS w
  WHERE to_units(w.level ->> '$.stockAllocated') > 0
),
place AS (
  SELECT coalesce(max(s.payload ->> '$.orderLocation'), any_value(p.only_location)) AS location_id
  FROM (SELECT CASE WHEN count(*) = 1 THEN max(id) END AS only_location FROM raw_vendure.locations) AS p
  LEFT JOIN raw_vendure.shop AS s ON true
),
judged AS (
  SELECT
    l.order_id, l.placed_at, l.updated_at, p.location_id,
    l.line -> '$.id' AS line_json,
    l.line -> '$.productVariant.id' AS item_json,
    as_key(l.line -> '$.id') AS line_id,
    to_units(l.line ->> '$.orderPlacedQuantity') AS placed,
    CASE
      WHEN coalesce(f.units, 0) > 0 AND f.units >= to_units(l.line ->> '$.quantity') THEN 'fulfilled'
      WHEN to_units(l.line ->> '$.quantity') = 0 THEN 'cancelled'
      ELSE 'open'
    END AS state,
    l.is_whole AND coalesce(s.is_read, true)
      AND coalesce(to_units(l.line ->> '$.orderPlacedQuantity') - coalesce(s.quantity, 0) = to_units(l.line ->> '$.quantity'), false)
      AS adds_up,
    u.order_id IS NOT NULL AS is_unread
  FROM lines AS l
  CROSS JOIN place AS p
  LEFT JOIN fulfilled AS f ON f.order_id = l.order_id AND f.line_id = l.line ->> '$.id'
  LEFT JOIN unread AS u ON u.order_id = l.order_id
  LEFT JOIN sums AS s ON s.order_id = l.order_id AND s.line_id = l.line ->> '$.id'
),
known AS (
  SELECT
    j.order_id, j.placed_at, j.updated_at, j.location_id, j.line_json, j.item_json, j.line_id, j.placed, j.state, j.adds_up,
    j.is_unread,
    j.state = 'open' AND j.location_id IS NOT NULL AND EXISTS (
      SELECT 1 FROM elsewhere AS e WHERE e.id = as_key(j.item_json) AND e.location_id <> j.location_id) AS is_elsewhere
  FROM judged AS j
),
every AS (
  SELECT
    'placed:' || k.line_id AS movement_id, 'order' AS kind, -k.placed AS quantity, k.placed_at AS occurred_at,
    k.order_id, k.updated_at, k.location_id, k.line_json, k.item_json, k.state, k.adds_up, k.is_unread, k.is_elsewhere,
    NULL AS event_json, false AS is_later
  FROM known AS k
  WHERE k.placed IS DISTINCT FROM 0
  UNION ALL
  SELECT
    t.event_id || ':' || k.line_id, t.kind, t.quantity, t.occurred_at,
    k.order_id, k.updated_at, k.location_id, k.line_json, k.item_json, k.state, k.adds_up, k.is_unread, k.is_elsewhere,
    t.event_json, true
  FROM later AS t
  JOIN known AS k ON k.order_id = t.order_id AND k.line_id = t.line_id
)
SELECT
  movement_id,
  as_key(item_json) AS vendor_id,
  location_id AS vendor_location_id,
  kind,
  CAST(quantity AS BIGINT) AS quantity,
  state AS order_state,
  to_moment(occurred_at) AS occurred_at,
  to_moment(updated_at) AS updated_at,
  CAST(NULL AS VARCHAR) AS hold_id,
  problems([
    key_problem(line_json, 'order_line'),
    key_problem(item_json, 'item'),
    CASE WHEN is_later THEN key_problem(event_json, 'event') END,
    problem(is_unread, 'order_state', 'what was sent cannot be read', 'unknown value'),
    missing_problem(location_id IS NULL, 'location'),
    problem(is_elsewhere, 'location', 'units wait at another location', 'unknown value'),
    count_problem(quantity IS NULL, 'quantity'),
    problem(quantity IS NOT NULL AND NOT adds_up, 'quantity', 'does not add up to the line', 'number'),
    too_many_problem(quantity, 'quantity'),
    moment_problem(to_moment(occurred_at) IS NULL, 'occurred_at')
  ]) AS problems
FROM every
