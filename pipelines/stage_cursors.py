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
from pipelines.stage import stage_models


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

# What was kept out before, by as many rows, keeps where its read began; of more rows some are new.
_KEPT_OUT = """
CREATE OR REPLACE TEMP TABLE kept_out_now AS
WITH found AS (
  SELECT f.endpoint, q.entity, md5(to_json([q.vendor_id, q.vendor_sub_id])) AS digest, count(*) AS row_count
  FROM quarantine.{system} AS q
  INNER JOIN (SELECT unnest(?) AS entity, unnest(?) AS endpoint) AS f ON f.entity = q.entity
  GROUP BY ALL
),
begun AS (
  SELECT r.endpoint, any_value(c.cursor_at) AS read_from
  FROM ledger.sync.reads AS r
  INNER JOIN ledger.sync.cursors AS c ON c.system = r.system AND c.endpoint = r.endpoint
  WHERE r.system = ? AND r.night_id = ? AND r.kind = 'delta' AND r.is_complete
  GROUP BY r.endpoint
)
SELECT
  CAST(? AS VARCHAR) AS system, n.endpoint, n.entity, n.digest, n.row_count,
  CASE WHEN o.row_count >= n.row_count THEN o.read_from ELSE coalesce(o.read_from, b.read_from) END AS read_from,
  CASE WHEN o.row_count >= n.row_count THEN o.since ELSE CAST(? AS TIMESTAMPTZ) END AS since,
  CASE WHEN o.row_count >= n.row_count THEN o.night_id ELSE CAST(? AS VARCHAR) END AS night_id
FROM found AS n
LEFT JOIN begun AS b ON b.endpoint = n.endpoint
LEFT JOIN ledger.sync.kept_out AS o
  ON o.system = ? AND o.endpoint = n.endpoint AND o.entity = n.entity AND o.digest = n.digest
"""


def _note_kept_out(con: duckdb.DuckDBPyConnection, channel: Channel, night_id: str, now: datetime) -> None:
    system = channel.name
    if not (feeds := [feed for feed in _feeds(system) if feed[1] in {e.name for e in channel.endpoints}]):
        return
    tables, endpoints = [table for table, _ in feeds], [endpoint for _, endpoint in feeds]
    con.execute(
        _KEPT_OUT.format(system=system),
        [tables, endpoints, system, night_id, system, now, night_id, system],
    )
    con.execute("DELETE FROM ledger.sync.kept_out WHERE system = ?", [system])
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
