"""After a crash or a lost answer: every write of unknown end is read back by id and gets its outcome (R1, R4).

Runs before anything else is sent, and at the start of a night. What was applied is recorded as such; what was not is
planned again from what is observed then; nothing is ever sent from here.
"""

from collections import Counter

import duckdb

from pipelines.clock import Clock
from pipelines.errors import ChannelError
from pipelines.ledger.plans import CORRECTION, correction_of, record_settled
from pipelines.model import Correction, OutcomeStatus
from pipelines.readback import Sessions, after_doubt, read_back

_OPEN = (
    "SELECT " + CORRECTION + """
FROM ledger.sync.corrections AS c
JOIN (
  SELECT i.plan_id, i.correction_key FROM ledger.sync.intents AS i WHERE i.state = 'sent'
  UNION
  SELECT o.plan_id, o.correction_key FROM ledger.sync.outcomes AS o
  GROUP BY o.plan_id, o.correction_key HAVING arg_max(o.status, o.rowid) = 'unknown'
) AS w ON w.plan_id = c.plan_id AND w.correction_key = c.correction_key
ORDER BY c.system, c.plan_id, c.correction_key
"""
)


async def settle_unknown(con: duckdb.DuckDBPyConnection, sessions: Sessions, *, clock: Clock) -> dict[str, int]:
    """Read back all writes of unknown end in the connected systems; rows by outcome status.

    A system that cannot be read keeps its open writes: the planner holds those values until they are known.
    """
    by_system: dict[str, list[Correction]] = {}
    for row in con.execute(_OPEN).fetchall():
        correction = correction_of(row)
        by_system.setdefault(correction.system, []).append(correction)
    counts: Counter[str] = Counter()
    for system, corrections in by_system.items():
        if system not in sessions:
            continue
        channel, session = sessions[system]
        try:
            readings = await read_back(channel, session, corrections)
        except ChannelError:
            counts["unread"] += len(corrections)
            continue
        outcomes = [after_doubt(con, c, readings.get(c.correction_key)) for c in corrections]
        known = [
            (c, outcome) for c, outcome in zip(corrections, outcomes, strict=True)
            if outcome.status is not OutcomeStatus.UNKNOWN
        ]
        record_settled(con, known, clock=clock)
        counts.update(str(outcome.status) for _, outcome in known)
        counts["unread"] += len(corrections) - len(known)
    return dict(+counts)
