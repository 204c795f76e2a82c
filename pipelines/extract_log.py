"""What extract knows from night to night: which endpoint is due for what, and what each read was worth.

Belongs to the extract stage. Reads `ledger.sync.cursors` and `ledger.sync.kept_out` (both are of `stage_cursors`),
writes `ledger.sync.reads`, makes the (possibly empty) raw tables, and rebuilds `reads.verdicts`, by which the planner
freezes what was not read whole.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from pipelines.channels.base import Channel, Endpoint
from pipelines.ledger.plans import transaction
from pipelines.model import ReadVerdict

log = logging.getLogger("trueup.extract")

CENSUS_EVERY = timedelta(days=7)
MANY = 10
"""Staging keeps out one record in so many: a format that has changed, not records that are bad by themselves."""


@dataclass(frozen=True, slots=True)
class Due:
    """How an endpoint is to be read tonight. `since` None: everything."""

    since: datetime | None
    cursor_at: datetime | None
    last_census: int | None
    """Rows of the last complete census, less those that the vendor itself has said are gone since."""
    until: datetime | None = None
    """The window's end, where it is not now."""

    @property
    def kind(self) -> str:
        """census | delta"""
        return "census" if self.since is None else "delta"


def raw_schema(system: str) -> str:
    """The schema that holds a system's records as the vendor calls them."""
    return f"raw_{system}"


def ensure_raw_tables(con: duckdb.DuckDBPyConnection, channels: Sequence[Channel]) -> None:
    """Every endpoint has its raw table from the start, so that staging never depends on who was up."""
    for channel in channels:
        schema = raw_schema(channel.name)
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for endpoint in channel.endpoints:
            con.execute(
                f"CREATE TABLE IF NOT EXISTS {schema}.{endpoint.name} (id VARCHAR NOT NULL, updated_at VARCHAR, "
                "payload VARCHAR NOT NULL, read_at TIMESTAMPTZ NOT NULL)"
            )


def due_reads(
    con: duckdb.DuckDBPyConnection, channels: Sequence[Channel], *, now: datetime, force_census: bool
) -> dict[tuple[str, str], Due]:
    """Census or delta, by (system, endpoint).

    A census where it is forced, the vendor has no delta, there is no cursor, the raw table is empty, the last census
    is older than CENSUS_EVERY (only a census notices what was deleted), or more than a MANY-th of the records have been
    kept out by staging since less than that. A delta begins at the cursor, or where one that was kept out was read.
    """
    cursors = {
        (system, endpoint): (cursor_at, census_at, read_from, int(kept_out))
        for system, endpoint, cursor_at, census_at, read_from, kept_out in con.execute(
            _CURSORS, [now - CENSUS_EVERY]
        ).fetchall()
    }
    counts = {
        (system, endpoint): int(rows)
        for system, endpoint, rows in con.execute(
            "SELECT system, endpoint, arg_max(row_count, finished_at) FROM ledger.sync.reads "
            "WHERE kind = 'census' AND is_complete GROUP BY system, endpoint"
        ).fetchall()
    }
    found = {}
    for channel in channels:
        for endpoint in channel.endpoints:
            key = (channel.name, endpoint.name)
            cursor_at, census_at, read_from, kept_out = cursors.get(key, (None, None, None, 0))
            is_fresh = census_at is not None and now - census_at < CENSUS_EVERY
            row = con.execute(f"SELECT count(*) FROM {raw_schema(channel.name)}.{endpoint.name}").fetchone()
            is_usable = row is not None and row[0] > kept_out * MANY
            is_delta = endpoint.has_delta and cursor_at and is_fresh and is_usable and not force_census
            since = min(cursor_at, read_from or cursor_at) - endpoint.overlap if is_delta and cursor_at else None
            if is_delta and read_from:
                log.info("%s.%s: from %s, for what was kept out then", *key, read_from.isoformat(timespec="minutes"))
            found[key] = Due(since, cursor_at, _still_there(con, channel, endpoint, counts.get(key)))
    return found


# What a census has read since, the next delta need not: it would come as it is. Counted are the records of one table
# that one field keeps out, for a record has a row for each field that is wrong with it.
_CURSORS = """
WITH counted AS (
  SELECT k.system, k.endpoint, sum(k.row_count) AS record_count
  FROM ledger.sync.kept_out AS k
  WHERE k.since > ?
  GROUP BY k.system, k.endpoint, k.entity, k.field
)
SELECT
  c.system, c.endpoint, c.cursor_at, c.census_at,
  (
    SELECT min(k.read_from) FROM ledger.sync.kept_out AS k
    WHERE k.system = c.system AND k.endpoint = c.endpoint AND k.read_from >= c.census_at
  ) AS read_from,
  coalesce(max(n.record_count), 0) AS kept_out
FROM ledger.sync.cursors AS c
LEFT JOIN counted AS n ON n.system = c.system AND n.endpoint = c.endpoint
GROUP BY ALL
"""


def _still_there(
    con: duckdb.DuckDBPyConnection, channel: Channel, endpoint: Endpoint, last_census: int | None
) -> int | None:
    """What a census may be held against: deletions that were told one by one make it no shorter than it should be."""
    if not endpoint.gone or last_census is None:
        return last_census
    row = con.execute(
        f"SELECT count(*), count(*) FILTER (coalesce(json_extract_string(payload, ?), 'false') <> 'true') "
        f"FROM {raw_schema(channel.name)}.{endpoint.name}", [endpoint.gone],
    ).fetchone()
    assert row is not None
    return min(last_census, int(row[1])) if row[0] else last_census


def commit_reads(
    con: duckdb.DuckDBPyConnection, night_id: str, reads: Sequence[tuple[ReadVerdict, int, float]]
) -> None:
    """Keep each read (verdict, calls, seconds waited on limits). Cursors move once it is staged (`stage_cursors`)."""
    if not reads:
        return
    with transaction(con):
        con.executemany(
            "INSERT INTO ledger.sync.reads (system, endpoint, entities, kind, is_complete, reason, row_count, "
            "page_count, declared_total, started_at, finished_at, cursor_from, cursor_to, night_id, calls, "
            "waited_seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                [
                    v.system, v.endpoint, list(v.entities), v.kind, v.is_complete, v.reason, v.row_count,
                    v.page_count, v.declared_total, v.started_at, v.finished_at, v.cursor_from, v.cursor_to,
                    night_id, calls, waited,
                ]
                for v, calls, waited in reads
            ],
        )


def commit_verdicts(con: duckdb.DuckDBPyConnection, verdicts: Sequence[ReadVerdict]) -> None:
    """Rebuild `reads.verdicts`: an entity of a system is complete where every endpoint that feeds it is."""
    found: dict[tuple[str, str], list[ReadVerdict]] = {}
    for verdict in verdicts:
        for entity in verdict.entities:
            found.setdefault((verdict.system, entity), []).append(verdict)
    con.execute("CREATE SCHEMA IF NOT EXISTS reads")
    con.execute(
        "CREATE OR REPLACE TABLE reads.verdicts (system VARCHAR NOT NULL, entity VARCHAR NOT NULL, "
        "is_complete BOOLEAN NOT NULL, reason VARCHAR NOT NULL)"
    )
    for (system, entity), reads in sorted(found.items()):
        reason = "; ".join(f"{v.endpoint}: {v.reason}" for v in reads if not v.is_complete)
        con.execute(
            "INSERT INTO reads.verdicts VALUES (?, ?, ?, ?)",
            [system, entity, all(v.is_complete for v in reads), reason],
        )


def distrust(con: duckdb.DuckDBPyConnection, entity: str, reason: str, system: str | None = None) -> None:
    """Add a verdict that freezes an entity of one system, or of all, whatever its reads were worth."""
    con.execute(
        "INSERT INTO reads.verdicts SELECT DISTINCT v.system, ?, false, ? FROM reads.verdicts AS v "
        "WHERE ? IS NULL OR v.system = ?",
        [entity, reason, system, system],
    )
