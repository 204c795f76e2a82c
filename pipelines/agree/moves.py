"""The statements that move the base: one MERGE an entity, touching only rows whose proven fields changed (delta).

Sources are the tables `agree.*` that `pipelines.agree` has just built; `$as_of` and `$night_id` are bound. Also here:
the price history as change rows, and the movements that the authority now knows of.
"""

ITEMS = """
MERGE INTO ledger.agreed.items AS t USING agree.items AS s ON t.system = s.system AND t.vendor_id = s.vendor_id
WHEN MATCHED AND (
    t.gtin IS DISTINCT FROM s.gtin OR t.item_id IS DISTINCT FROM s.item_id OR NOT list_has_all(t.fields, s.fields))
  THEN UPDATE SET gtin = s.gtin, item_id = s.item_id, fields = s.fields, agreed_at = $as_of, night_id = $night_id
WHEN NOT MATCHED THEN INSERT VALUES (s.system, s.vendor_id, s.item_id, s.gtin, s.fields, $as_of, $night_id)
"""

PRICES = """
MERGE INTO ledger.agreed.prices AS t USING agree.prices AS s
  ON t.system = s.system AND t.vendor_id = s.vendor_id AND t.vendor_price_list = s.vendor_price_list
WHEN MATCHED AND (
    (list_contains(s.fields, 'amount') AND t.amount IS DISTINCT FROM s.amount)
    OR (list_contains(s.fields, 'compare_at') AND t.compare_at IS DISTINCT FROM s.compare_at)
    OR t.item_id IS DISTINCT FROM s.item_id OR t.currency IS DISTINCT FROM s.currency
    OR NOT list_has_all(t.fields, s.fields))
  THEN UPDATE SET
    amount = CASE WHEN list_contains(s.fields, 'amount') THEN s.amount ELSE t.amount END,
    compare_at = CASE WHEN list_contains(s.fields, 'compare_at') THEN s.compare_at ELSE t.compare_at END,
    item_id = s.item_id, price_list_id = s.price_list_id, currency = s.currency,
    fields = list_sort(list_distinct(list_concat(t.fields, s.fields))), agreed_at = $as_of, night_id = $night_id
WHEN NOT MATCHED THEN INSERT VALUES (
  s.system, s.vendor_id, s.vendor_price_list, s.item_id, s.price_list_id, s.currency,
  CASE WHEN list_contains(s.fields, 'amount') THEN s.amount END,
  CASE WHEN list_contains(s.fields, 'compare_at') THEN s.compare_at END, s.fields, $as_of, $night_id)
"""

STOCK = """
MERGE INTO ledger.agreed.stock AS t USING (
  SELECT p.system, p.vendor_id, p.vendor_location_id, p.item_id, p.location_id, p.quantity, p.fields,
    coalesce(p.planned_as_of, $as_of) AS as_of, m.last_seen_at
  FROM agree.stock AS p
  LEFT JOIN (
    SELECT l.item_id, l.location_id, max(l.first_seen_at) AS last_seen_at FROM ledger.identity.movements AS l
    WHERE l.item_id IS NOT NULL GROUP BY l.item_id, l.location_id
  ) AS m ON m.item_id = p.item_id AND m.location_id = p.location_id
) AS s ON t.system = s.system AND t.vendor_id = s.vendor_id AND t.vendor_location_id = s.vendor_location_id
WHEN MATCHED AND s.as_of >= t.agreed_at AND (
    t.quantity IS DISTINCT FROM s.quantity OR t.item_id IS DISTINCT FROM s.item_id
    OR t.location_id IS DISTINCT FROM s.location_id OR s.last_seen_at > t.agreed_at)
  THEN UPDATE SET quantity = s.quantity, item_id = s.item_id, location_id = s.location_id, fields = s.fields,
    agreed_at = s.as_of, night_id = $night_id
WHEN NOT MATCHED THEN INSERT VALUES (
  s.system, s.vendor_id, s.vendor_location_id, s.item_id, s.location_id, s.quantity, s.fields, s.as_of, $night_id)
"""
"""An agreement after movements is a new one even at the same level: what is counted since then starts from here.
A level that was true before the last agreement is no news."""

CUSTOMERS = """
MERGE INTO ledger.agreed.customers AS t USING agree.customers AS s ON t.system = s.system AND t.vendor_id = s.vendor_id
WHEN MATCHED AND (
    (list_contains(s.fields, 'first_name') AND t.first_name IS DISTINCT FROM s.first_name)
    OR (list_contains(s.fields, 'last_name') AND t.last_name IS DISTINCT FROM s.last_name)
    OR (list_contains(s.fields, 'phone') AND t.phone IS DISTINCT FROM s.phone)
    OR (list_contains(s.fields, 'street') AND t.street IS DISTINCT FROM s.street)
    OR (list_contains(s.fields, 'city') AND t.city IS DISTINCT FROM s.city)
    OR (list_contains(s.fields, 'postcode') AND t.postcode IS DISTINCT FROM s.postcode)
    OR (list_contains(s.fields, 'loyalty_points') AND t.loyalty_points IS DISTINCT FROM s.loyalty_points)
    OR t.person_id IS DISTINCT FROM s.person_id OR NOT list_has_all(t.fields, s.fields))
  THEN UPDATE SET
    first_name = CASE WHEN list_contains(s.fields, 'first_name') THEN s.first_name ELSE t.first_name END,
    last_name = CASE WHEN list_contains(s.fields, 'last_name') THEN s.last_name ELSE t.last_name END,
    phone = CASE WHEN list_contains(s.fields, 'phone') THEN s.phone ELSE t.phone END,
    street = CASE WHEN list_contains(s.fields, 'street') THEN s.street ELSE t.street END,
    city = CASE WHEN list_contains(s.fields, 'city') THEN s.city ELSE t.city END,
    postcode = CASE WHEN list_contains(s.fields, 'postcode') THEN s.postcode ELSE t.postcode END,
    loyalty_points =
      CASE WHEN list_contains(s.fields, 'loyalty_points') THEN s.loyalty_points ELSE t.loyalty_points END,
    person_id = s.person_id, fields = list_sort(list_distinct(list_concat(t.fields, s.fields))),
    agreed_at = $as_of, night_id = $night_id
WHEN NOT MATCHED THEN INSERT (system, vendor_id, person_id, first_name, last_name, phone, street, city, postcode,
  loyalty_points, fields, agreed_at, night_id)
VALUES (
  s.system, s.vendor_id, s.person_id,
  CASE WHEN list_contains(s.fields, 'first_name') THEN s.first_name END,
  CASE WHEN list_contains(s.fields, 'last_name') THEN s.last_name END,
  CASE WHEN list_contains(s.fields, 'phone') THEN s.phone END,
  CASE WHEN list_contains(s.fields, 'street') THEN s.street END,
  CASE WHEN list_contains(s.fields, 'city') THEN s.city END,
  CASE WHEN list_contains(s.fields, 'postcode') THEN s.postcode END,
  CASE WHEN list_contains(s.fields, 'loyalty_points') THEN s.loyalty_points END, s.fields, $as_of, $night_id)
"""

CONSENTS = """
MERGE INTO ledger.agreed.consents AS t USING agree.consents AS s
  ON t.system = s.system AND t.vendor_id = s.vendor_id AND t.vendor_audience_id = s.vendor_audience_id
    AND t.channel = s.channel AND t.purpose = s.purpose
WHEN MATCHED AND (t.state IS DISTINCT FROM s.state OR t.contact_point IS DISTINCT FROM s.contact_point)
  THEN UPDATE SET state = s.state, contact_point = s.contact_point, fields = s.fields, agreed_at = $as_of,
    night_id = $night_id
WHEN NOT MATCHED THEN INSERT VALUES (
  s.system, s.vendor_id, s.vendor_audience_id, s.contact_point, s.channel, s.purpose, s.state, s.fields,
  $as_of, $night_id)
"""

SETTLED = """
UPDATE ledger.identity.movements AS m SET settled_night = $night_id
FROM agree.told AS t WHERE m.settled_night IS NULL AND m.system = t.system AND m.movement_id = t.movement_id
"""

UNSETTLED = """
UPDATE ledger.identity.movements AS m SET settled_night = NULL
FROM agree.untold AS t
WHERE m.system = t.system AND m.movement_id = t.movement_id AND m.settled_night = t.settled_night
  AND m.settled_by IS NULL
"""
"""A level that told the authority of units was rolled back: they are outstanding again."""

USED = """
UPDATE ledger.sync.verifications SET agreed_night = $night_id WHERE status = 'confirmed' AND agreed_night IS NULL
"""
"""Each proof moves the base once: used again on a later night it would move it back."""

HISTORY_SEEN = """
MERGE INTO ledger.history.prices AS t USING (
  SELECT p.system, p.vendor_id, p.vendor_price_list, p.item_id, p.currency, p.amount, p.compare_at, h.first_seen_at
  FROM observed.prices AS p
  JOIN reads.verdicts AS v ON v.system = p.system AND v.entity = 'prices' AND v.is_complete
  LEFT JOIN (
    SELECT x.system, x.vendor_id, x.vendor_price_list, x.currency, x.amount, x.compare_at, x.first_seen_at
    FROM ledger.history.prices AS x WHERE x.first_seen_at <= $as_of
    QUALIFY row_number() OVER (
      PARTITION BY x.system, x.vendor_id, x.vendor_price_list ORDER BY x.first_seen_at DESC) = 1
  ) AS h ON h.system = p.system AND h.vendor_id = p.vendor_id AND h.vendor_price_list = p.vendor_price_list
    AND h.currency = p.currency AND h.amount IS NOT DISTINCT FROM p.amount
    AND h.compare_at IS NOT DISTINCT FROM p.compare_at
  WHERE p.currency IS NOT NULL
) AS s ON t.system = s.system AND t.vendor_id = s.vendor_id AND t.vendor_price_list = s.vendor_price_list
  AND t.first_seen_at = s.first_seen_at
WHEN MATCHED THEN UPDATE SET last_confirmed_at = greatest(t.last_confirmed_at, $as_of)
WHEN NOT MATCHED THEN INSERT VALUES (
  s.system, s.vendor_id, s.vendor_price_list, s.item_id, s.currency, s.amount, s.compare_at, $as_of, $as_of)
"""

HISTORY_WRITTEN = """
INSERT INTO ledger.history.prices
SELECT w.system, w.vendor_id, w.vendor_price_list, w.item_id, w.currency,
  CASE WHEN list_contains(w.fields, 'amount') THEN w.amount ELSE h.amount END AS new_amount,
  CASE WHEN list_contains(w.fields, 'compare_at') THEN w.compare_at ELSE h.compare_at END AS new_compare_at,
  w.proven_at, w.proven_at
FROM (
  SELECT x.system, x.vendor_id, x.vendor_sub_id AS vendor_price_list, any_value(x.subject_id) AS item_id,
    any_value(x.currency) AS currency, max(CASE WHEN x.field = 'amount' THEN CAST(x.desired AS BIGINT) END) AS amount,
    max(CASE WHEN x.field = 'compare_at' THEN CAST(x.desired AS BIGINT) END) AS compare_at, list(x.field) AS fields,
    greatest(max(x.proven_at), $as_of + INTERVAL 1 MICROSECOND) AS proven_at
  FROM agree.written AS x WHERE x.entity = 'prices'
  GROUP BY x.system, x.vendor_id, x.vendor_sub_id
) AS w
LEFT JOIN (
  SELECT x.system, x.vendor_id, x.vendor_price_list, x.currency, x.amount, x.compare_at
  FROM ledger.history.prices AS x
  QUALIFY row_number() OVER (PARTITION BY x.system, x.vendor_id, x.vendor_price_list ORDER BY x.first_seen_at DESC) = 1
) AS h ON h.system = w.system AND h.vendor_id = w.vendor_id AND h.vendor_price_list = w.vendor_price_list
WHERE w.currency IS NOT NULL AND (h.system IS NULL OR h.currency IS DISTINCT FROM w.currency
  OR new_amount IS DISTINCT FROM h.amount OR new_compare_at IS DISTINCT FROM h.compare_at)
"""
