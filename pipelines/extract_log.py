"""What extract knows from night to night: which endpoint is due for what, its cursor, and what each read was worth.

Belongs to the extract stage. Reads and writes `ledger.sync.cursors` and `ledger.sync.reads`, makes the (possibly
empty) raw tables, and rebuilds `reads.verdicts`, by which the planner freezes what was not read whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from pipelines.channels.base import Channel, Endpoint
from pipelines.ledger.plans import transaction
from pipelines.model import ReadVerdict

CENSUS_EVERY = timedelta(days=7)


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

    A census where it is forced, the vendor has no delta, there is no cursor, the raw table is empty, or the last
    census is older than CENSUS_EVERY (only a census notices what was deleted).
    """
    cursors = {
        (system, endpoint): (cursor_at, census_at)
        for system, endpoint, cursor_at, census_at in con.execute(
            "SELECT system, endpoint, cursor_at, census_at FROM ledger.sync.cursors"
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
            cursor_at, census_at = cursors.get(key, (None, None))
            is_fresh = census_at is not None and now - census_at < CENSUS_EVERY
            has_rows = con.execute(
                f"SELECT 1 FROM {raw_schema(channel.name)}.{endpoint.name} LIMIT 1"
            ).fetchone()
            is_delta = endpoint.has_delta and cursor_at and is_fresh and has_rows and not force_census
            since = cursor_at - endpoint.overlap if is_delta and cursor_at else None
            found[key] = Due(since, cursor_at, _still_there(con, channel, endpoint, counts.get(key)))
    return found


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
    """Keep each read (verdict, calls, seconds waited on limits) and move the cursors of the complete ones."""
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
        for verdict, _, _ in reads:
            if verdict.is_complete:
                _move_cursor(con, night_id, verdict)


def _move_cursor(con: duckdb.DuckDBPyConnection, night_id: str, verdict: ReadVerdict) -> None:
    key = [verdict.system, verdict.endpoint]
    row = con.execute(
        "SELECT max(census_at) FROM ledger.sync.cursors WHERE system = ? AND endpoint = ?", key
    ).fetchone()
    census_at = verdict.cursor_to if verdict.kind == "census" else row and row[0]
    con.execute("DELETE FROM ledger.sync.cursors WHERE system = ? AND endpoint = ?", key)
    con.execute(
        "INSERT INTO ledger.sync.cursors (system, endpoint, cursor_at, census_at, night_id) VALUES (?, ?, ?, ?, ?)",
        [*key, verdict.cursor_to, census_at, night_id],
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
