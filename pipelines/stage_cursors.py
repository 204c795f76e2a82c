"""Ends the stage: cursors move over what was read and staged, and what was kept out is to be read again (R12).

A field that a system calls otherwise for a night keeps that night's records out. Snapshots come again when they change;
a movement does not, so a cursor that moved past it would have lost it until the next census. Reads and writes
`ledger.sync.cursors` and `ledger.sync.kept_out`; `extract_log.due_reads` asks both where the next read begins.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import duckdb

from pipelines.channels.base import Channel
from pipelines.ledger.plans import transaction
from pipelines.sql import Model
from pipelines.stage import entity_of, stage_models


def commit_cursors(
    con: duckdb.DuckDBPyConnection, channels: Sequence[Channel], night_id: str, *, now: datetime
) -> None:
    """Note what staging keeps out, then move the cursors of this night's complete reads; twice is as good as once."""
    with transaction(con):
        for channel in channels:
            _note_kept_out(con, channel, night_id, now)
        con.execute(_MOVED, [night_id])
        con.execute(
            "DELETE FROM ledger.sync.cursors AS c USING tonight_cursors AS t "
            "WHERE c.system = t.system AND c.endpoint = t.endpoint"
        )
        con.execute("INSERT INTO ledger.sync.cursors BY NAME FROM tonight_cursors")
        con.execute("DROP TABLE tonight_cursors")


_MOVED = """
CREATE OR REPLACE TEMP TABLE tonight_cursors AS
SELECT
  r.system, r.endpoint, max(r.cursor_to) AS cursor_at, r.night_id,
  coalesce(max(r.cursor_to) FILTER (r.kind = 'census'), max(c.census_at)) AS census_at
FROM ledger.sync.reads AS r
LEFT JOIN ledger.sync.cursors AS c ON c.system = r.system AND c.endpoint = r.endpoint
WHERE r.night_id = ? AND r.is_complete
GROUP BY r.system, r.endpoint, r.night_id
"""

# What was kept out before, by as many rows, keeps where it is read from; of more rows some are new. A read goes on from
# where an earlier one is repeated from, so what is new in it began there.
_KEPT_OUT = """
CREATE OR REPLACE TEMP TABLE kept_out_now AS
WITH found AS (
  SELECT
    f.endpoint, q.entity, q.field, count(*) AS row_count,
    md5(to_json([q.vendor_id, q.vendor_sub_id, q.field, q.reason, q.value_class])) AS digest
  FROM quarantine.{system} AS q
  INNER JOIN (SELECT unnest($tables) AS entity, unnest($endpoints) AS endpoint) AS f ON f.entity = q.entity
  GROUP BY ALL
),
kept AS (
  SELECT
    k.endpoint, k.entity, k.digest, k.row_count, k.since, k.night_id,
    CASE WHEN k.read_from >= c.census_at THEN k.read_from END AS read_from
  FROM ledger.sync.kept_out AS k
  LEFT JOIN ledger.sync.cursors AS c ON c.system = k.system AND c.endpoint = k.endpoint
  WHERE k.system = $system
),
begun AS (
  SELECT
    c.endpoint,
    least(c.cursor_at, (SELECT min(k.read_from) FROM kept AS k WHERE k.endpoint = c.endpoint)) AS read_from
  FROM ledger.sync.cursors AS c
  WHERE c.system = $system AND NOT EXISTS (
    SELECT 1 FROM ledger.sync.reads AS r
    WHERE r.system = c.system AND r.endpoint = c.endpoint AND r.night_id = $night_id
      AND r.kind = 'census' AND r.is_complete
  )
)
SELECT
  $system::VARCHAR AS system, n.endpoint, n.entity, n.field, n.digest, n.row_count,
  CASE WHEN o.row_count >= n.row_count THEN o.read_from ELSE coalesce(o.read_from, b.read_from) END AS read_from,
  CASE WHEN o.row_count >= n.row_count THEN o.since ELSE $now::TIMESTAMPTZ END AS since,
  CASE WHEN o.row_count >= n.row_count THEN o.night_id ELSE $night_id::VARCHAR END AS night_id
FROM found AS n
LEFT JOIN begun AS b ON b.endpoint = n.endpoint
LEFT JOIN kept AS o ON o.endpoint = n.endpoint AND o.entity = n.entity AND o.digest = n.digest
"""


def _note_kept_out(con: duckdb.DuckDBPyConnection, channel: Channel, night_id: str, now: datetime) -> None:
    serves = {endpoint.name: endpoint.entities for endpoint in channel.endpoints}
    feeds = [(table, name) for table, name in _feeds(channel.name) if entity_of(table) in serves.get(name, ())]
    if not feeds:
        return
    con.execute(
        _KEPT_OUT.format(system=channel.name),
        {
            "tables": [table for table, _ in feeds], "endpoints": [name for _, name in feeds], "system": channel.name,
            "night_id": night_id, "now": now,
        },
    )
    con.execute("DELETE FROM ledger.sync.kept_out WHERE system = ?", [channel.name])
    con.execute("INSERT INTO ledger.sync.kept_out BY NAME FROM kept_out_now")
    con.execute("DROP TABLE kept_out_now")


@cache
def _feeds(system: str) -> tuple[tuple[str, str], ...]:
    """(stage table, endpoint) of one system: every endpoint whose records end in a table, by whatever way."""
    models, raw = stage_models([system]), f"raw_{system}."

    def endpoints(model: Model) -> set[str]:
        found = {name.removeprefix(raw) for name in model.inputs if name.startswith(raw)}
        return found.union(*(endpoints(models[name]) for name in model.inputs & models.keys()))

    return tuple((model.table, name) for model in models.values() for name in sorted(endpoints(model)))
