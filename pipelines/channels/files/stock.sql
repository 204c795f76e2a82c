-- grain: one line of a file of stock: the units of one item at one location
-- key: vendor_id, vendor_location_id (a column, the mapping's word, or a part of the file's name)
-- why: a blank quantity is unknown, which is not zero: such a line is kept out. Half a unit, fewer than none on hand or a
--      hundred thousand at one place are no counts; what can be sold may be below zero, where more was sold than is there
WITH parsed AS (
  SELECT
    from_json(payload, '{"key": "VARCHAR", "place": "VARCHAR", "table": "VARCHAR", "file": "VARCHAR", "line": "VARCHAR",
      "times": "VARCHAR", "values": {"on_hand": "VARCHAR", "available": "VARCHAR", "updated_at": "VARCHAR",
      "removed": "VARCHAR"}, "shape": {"decimal": "VARCHAR", "thousands": "VARCHAR", "dates": "VARCHAR",
      "timezone": "VARCHAR", "yes": ["VARCHAR"], "no": ["VARCHAR"]}}') AS r
  FROM raw_files.stock
), read AS (
  SELECT
    r.key AS vendor_id,
    r.place AS vendor_location_id,
    r.values.on_hand AS on_hand_text,
    to_units(plain_decimal(r.values.on_hand, r.shape.decimal, r.shape.thousands)) AS on_hand,
    r.values.available AS available_text,
    to_units(plain_decimal(r.values.available, r.shape.decimal, r.shape.thousands)) AS available,
    moment_of_file(r.values.updated_at, r.shape.dates, r.shape.timezone) AS updated_at,
    said(r.values.removed, r.shape.yes, r.shape.no) AS is_removed,
    r.values.removed AS removed,
    r.table AS table_name,
    r.file AS file,
    r.line AS line,
    TRY_CAST(r.times AS INTEGER) AS times
  FROM parsed
)
SELECT
  vendor_id,
  vendor_location_id,
  on_hand,
  CAST(NULL AS BIGINT) AS committed,
  available,
  CAST(NULL AS BOOLEAN) AS is_tracked,
  CAST(NULL AS VARCHAR) AS version,
  updated_at,
  CAST(json_object('table', table_name, 'file', file, 'line', line) AS VARCHAR) AS write_context,
  at_line(problems([
    twice_problem(times),
    unknown_problem(removed IS NOT NULL AND is_removed IS NULL, 'removed', 'word for yes or no'),
    missing_problem(on_hand_text IS NULL AND available_text IS NULL, 'on_hand'),
    count_problem(on_hand_text IS NOT NULL AND on_hand IS NULL, 'on_hand'),
    negative_problem(on_hand, 'on_hand'),
    too_many_problem(on_hand, 'on_hand'),
    count_problem(available_text IS NOT NULL AND available IS NULL, 'available'),
    too_many_problem(available, 'available')
  ]), file, line) AS problems
FROM read
WHERE NOT coalesce(is_removed, false)
