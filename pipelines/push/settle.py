"""After a crash or a lost answer: every write of unknown end is read back by id and gets its outcome (R1, R4).

Runs before anything else is sent, and at the start of a night. What was applied is recorded as such; what was not is
planned again from what is observed then; nothing is ever sent from here. Where a write is a request that is carried out
later, reading shows nothing yet: the writer says whether it was made, by the batch's own key.
"""

from collections import Counter
from collections.abc import Iterable

import duckdb

from pipelines.channels.base import Channel
from pipelines.clock import Clock
from pipelines.errors import ChannelError
from pipelines.http import Session
from pipelines.ledger.plans import CORRECTION, correction_of, record_settled
from pipelines.model import Correction, Outcome, OutcomeStatus
from pipelines.readback import Sessions, after_doubt, read_back

_OPEN = (
    "SELECT w.batch_id, " + CORRECTION + """
FROM ledger.sync.corrections AS c
JOIN (
  SELECT i.plan_id, i.correction_key, i.batch_id FROM ledger.sync.intents AS i WHERE i.state = 'sent'
  UNION
  SELECT o.plan_id, o.correction_key, arg_max(o.batch_id, o.rowid) FROM ledger.sync.outcomes AS o
  GROUP BY o.plan_id, o.correction_key HAVING arg_max(o.status, o.rowid) = 'unknown'
) AS w ON w.plan_id = c.plan_id AND w.correction_key = c.correction_key
ORDER BY c.system, c.plan_id, c.correction_key, w.batch_id
"""
)
_BATCH = (
    "SELECT i.vendor_key, " + CORRECTION + """
FROM ledger.sync.intents AS i
JOIN ledger.sync.corrections AS c ON c.plan_id = i.plan_id AND c.correction_key = i.correction_key
WHERE i.plan_id = ? AND i.batch_id = ?
ORDER BY c.vendor_id, c.vendor_sub_id, c.field, c.correction_key
"""
)


async def settle_unknown(con: duckdb.DuckDBPyConnection, sessions: Sessions, *, clock: Clock) -> dict[str, int]:
    """Read back all writes of unknown end in the connected systems; rows by outcome status.

    A system that cannot be read keeps its open writes: the planner holds those values until they are known.
    """
    by_system: dict[str, dict[tuple[str, str], tuple[str, Correction]]] = {}
    for row in con.execute(_OPEN).fetchall():
        correction = correction_of(row[1:])
        key = (correction.plan_id, correction.correction_key)
        by_system.setdefault(correction.system, {})[key] = (row[0], correction)
    counts: Counter[str] = Counter()
    for system, opened in by_system.items():
        if system not in sessions:
            continue
        channel, session = sessions[system]
        corrections = [c for _, c in opened.values()]
        try:
            readings = await read_back(channel, session, corrections)
            words = await _asked(con, channel, session, opened.values())
        except ChannelError:
            counts["unread"] += len(corrections)
            continue
        outcomes = [
            after_doubt(con, c, readings.get(c.correction_key), words.get((c.plan_id, batch_id, c.correction_key)))
            for batch_id, c in opened.values()
        ]
        known = [
            (c, outcome) for c, outcome in zip(corrections, outcomes, strict=True)
            if outcome.status is not OutcomeStatus.UNKNOWN
        ]
        record_settled(con, known, clock=clock)
        counts.update(str(outcome.status) for _, outcome in known)
        counts["unread"] += len(corrections) - len(known)
    return dict(+counts)


async def _asked(
    con: duckdb.DuckDBPyConnection, channel: Channel, session: Session, opened: Iterable[tuple[str, Correction]]
) -> dict[tuple[str, str, str], Outcome]:
    """What the writers of requests say, by plan, batch and correction."""
    writers = [writer for writer in channel.writers if writer.asked is not None]
    found: dict[tuple[str, str, str], Outcome] = {}
    for batch_id, c in opened:
        asked = next((w.asked for w in writers if w.entity == c.entity and c.field in w.fields), None)
        if asked is None or (c.plan_id, batch_id, c.correction_key) in found:
            continue
        rows = con.execute(_BATCH, [c.plan_id, batch_id]).fetchall()
        for outcome in await asked(session, [correction_of(row[1:]) for row in rows], rows[0][0]):
            found[c.plan_id, batch_id, outcome.correction_key] = outcome
    return found
