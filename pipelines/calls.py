"""The API calls that a night made, held against the least that could have done the same work, per system.

Reads: `ledger.sync.reads` against the vendor's page maxima. Writes: what the sessions counted beside the reads (shop
check, writes, read-backs) against full batches. Reads the ledger, writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import duckdb

from pipelines.channels.base import Channel
from pipelines.http import Counters
from pipelines.ledger.plans import CORRECTION, correction_of
from pipelines.model import Correction
from pipelines.push.compose import chunks, in_order

_SENT = (
    "SELECT DISTINCT "
    + CORRECTION
    + " FROM ledger.sync.corrections AS c JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id "
    "JOIN ledger.sync.intents AS i ON i.plan_id = c.plan_id AND i.correction_key = c.correction_key "
    "WHERE p.night_id = ?"
)


@dataclass(frozen=True, slots=True)
class Calls:
    """One system's calls in one night."""

    read: int
    read_least: int
    write: int
    write_least: int
    throttled: int
    waited_seconds: float
    """On the vendor's rate limit, all tasks together."""

    def as_row(self) -> dict[str, float]:
        """For the night's summary."""
        return asdict(self)


def night_calls(
    con: duckdb.DuckDBPyConnection, night_id: str, channels: Sequence[Channel], counters: Mapping[str, Counters]
) -> dict[str, Calls]:
    """Calls by system. `counters`: what each session counted outside of extract."""
    reads = con.execute(
        "SELECT system, endpoint, kind, row_count, coalesce(calls, 0), coalesce(waited_seconds, 0) "
        "FROM ledger.sync.reads WHERE night_id = ?",
        [night_id],
    ).fetchall()
    sent: dict[str, list[Correction]] = {}
    for row in con.execute(_SENT, [night_id]).fetchall():
        correction = correction_of(row)
        sent.setdefault(correction.system, []).append(correction)
    found = {}
    for channel in channels:
        mine = {row[1]: row for row in reads if row[0] == channel.name}
        ends = [e for e in channel.endpoints if e.name in mine]
        made = counters.get(channel.name, Counters())
        found[channel.name] = Calls(
            read=sum(int(row[4]) for row in mine.values()),
            read_least=sum(e.least_calls(mine[e.name][3], mine[e.name][2]) for e in ends),
            write=made.calls,
            write_least=_least_writes(channel, sent.get(channel.name, [])),
            throttled=made.throttled,
            waited_seconds=round(sum(float(row[5]) for row in mine.values()) + made.waited_seconds, 1),
        )
    return found


def _least_writes(channel: Channel, sent: Sequence[Correction]) -> int:
    """One look at the shop, full batches, full read-backs before (where the writer needs them) and after."""
    count = 1 if sent else 0
    for writer in channel.writers:
        mine = [c for c in sent if c.entity == writer.entity and c.field in writer.fields]
        if not mine:
            continue
        count += sum(1 for _ in chunks(in_order(mine, writer), writer))
        reader = next((r for r in channel.read_backs if r.entity == writer.entity), None)
        if reader is not None:
            count += -(-len(mine) // reader.batch_max) * (2 if writer.needs_check else 1)
    return count
