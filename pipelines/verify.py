"""Stage 8, verify: what was written is read back by id, and every correction gets its last word: confirmed or not.

`confirmed` the system holds the desired value · `overwritten` it holds a third one · `settling` it still shows the old
one after about a minute of patience · `unconfirmed` it could not be read, or the record is gone. A level that was to
tell the authority of units and showed its old number stays `settling`: what it shows later may be a sale's doing. Reads
the systems, appends to `ledger.sync.verifications`; the base is moved by `pipelines.agree`, from what is confirmed.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

import duckdb

from pipelines.channels.base import Channel
from pipelines.clock import Clock
from pipelines.errors import ChannelError
from pipelines.http import Session
from pipelines.ledger.audit import append
from pipelines.ledger.plans import CORRECTION, correction_of, record_settled, transaction
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading, VerificationStatus
from pipelines.readback import Sessions, after_doubt, is_same, read_back

WAITS = (5.0, 15.0, 40.0)
"""The patience of a night with what it has just written, in seconds."""

_WRITTEN = (
    """SELECT o.status, EXISTS (
    SELECT 1 FROM ledger.sync.told AS t WHERE t.plan_id = c.plan_id AND t.correction_key = c.correction_key
  ) AND EXISTS (
    SELECT 1 FROM ledger.sync.verifications AS w
    WHERE w.plan_id = c.plan_id AND w.correction_key = c.correction_key AND w.status = 'settling'
  ), """ + CORRECTION + """
FROM ledger.sync.corrections AS c
JOIN (
  SELECT x.correction_key, arg_max(x.status, x.rowid) AS status
  FROM ledger.sync.outcomes AS x WHERE x.plan_id = $plan_id GROUP BY x.correction_key
) AS o ON o.correction_key = c.correction_key
WHERE c.plan_id = $plan_id AND o.status IN ('applied', 'unknown')
  AND NOT EXISTS (
    SELECT 1 FROM ledger.sync.verifications AS v
    WHERE v.plan_id = c.plan_id AND v.correction_key = c.correction_key AND v.status = 'confirmed')
ORDER BY c.system, c.entity, c.vendor_id, c.vendor_sub_id, c.field
"""
)
_READ = """
SELECT unnest($plan_ids::VARCHAR[]) AS plan_id, unnest($keys::VARCHAR[]) AS correction_key,
  unnest($statuses::VARCHAR[]) AS status, unnest($found::VARCHAR[]) AS value, $now AS "at"
"""


async def verify_plan(
    con: duckdb.DuckDBPyConnection, plan_id: str, sessions: Sessions, *, clock: Clock, waits: Sequence[float] = WAITS
) -> dict[str, dict[str, int]]:
    """Read back all that the plan wrote or may have written; rows by system and verification status.

    `waits`: seconds between readings while a system still shows the old value. A system that is not connected or fails
    leaves its rows `unconfirmed`; called again, only what is not confirmed is read again.
    """
    by_system: dict[str, list[Correction]] = {}
    in_doubt: set[str] = set()
    stood: set[str] = set()
    for status, has_stood, *row in con.execute(_WRITTEN, {"plan_id": plan_id}).fetchall():
        correction = correction_of(tuple(row))
        by_system.setdefault(correction.system, []).append(correction)
        if status == OutcomeStatus.UNKNOWN:
            in_doubt.add(correction.correction_key)
        if has_stood:
            stood.add(correction.correction_key)

    async def one(system: str, corrections: Sequence[Correction]) -> dict[str, int]:
        readings = await _patiently(con, *sessions[system], corrections, clock, waits) if system in sessions else {}
        requests = _requests(sessions[system][0]) if system in sessions else frozenset()
        return _record(con, corrections, readings, in_doubt, stood, requests, clock=clock)

    names = sorted(by_system)
    results = await asyncio.gather(*(one(name, by_system[name]) for name in names), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return {name: result for name, result in zip(names, results, strict=True) if isinstance(result, dict)}


async def _patiently(
    con: duckdb.DuckDBPyConnection, channel: Channel, session: Session, corrections: Sequence[Correction], clock: Clock,
    waits: Sequence[float],
) -> dict[str, Reading]:
    """The last reading of each correction; those that still show the old value are read again after a while.

    Not where a write is a request that somebody carries out later: within a minute nobody does.
    """
    later = _requests(channel)
    readings: dict[str, Reading] = {}
    pending = list(corrections)
    for wait in (*waits, None):
        try:
            readings |= await read_back(channel, session, pending)
        except ChannelError:
            # What has been read stands; the rest has no reading and is recorded as unconfirmed.
            break
        pending = [
            c for c in pending
            if c.entity not in later and _status(con, c, readings.get(c.correction_key)) is VerificationStatus.SETTLING
        ]
        if not pending or wait is None:
            break
        await clock.sleep(wait)
    return readings


def _requests(channel: Channel) -> frozenset[str]:
    """The entities whose writes somebody carries out later."""
    return frozenset(writer.entity for writer in channel.writers if writer.settles_within is not None)


def _status(con: duckdb.DuckDBPyConnection, correction: Correction, reading: Reading | None) -> VerificationStatus:
    if reading is None or not reading.exists:
        return VerificationStatus.UNCONFIRMED
    if is_same(con, correction, reading.value, correction.desired):
        return VerificationStatus.CONFIRMED
    if is_same(con, correction, reading.value, correction.observed):
        return VerificationStatus.SETTLING
    return VerificationStatus.OVERWRITTEN


def _record(
    con: duckdb.DuckDBPyConnection, corrections: Sequence[Correction], readings: dict[str, Reading],
    in_doubt: set[str], stood: set[str], requests: frozenset[str], *, clock: Clock,
) -> dict[str, int]:
    statuses = [_status(con, c, readings.get(c.correction_key)) for c in corrections]
    for at, c in enumerate(corrections):
        # Units come and go: that this write did it, the authority's log tells (reconcile/logged.sql), or nobody.
        may_be_a_sale = statuses[at] is VerificationStatus.CONFIRMED and c.correction_key in stood
        if may_be_a_sale and c.entity not in requests:
            statuses[at] = VerificationStatus.SETTLING
    values = [reading.value if (reading := readings.get(c.correction_key)) else None for c in corrections]
    with transaction(con):
        append(con, "verifications", _READ, {
            "plan_ids": [c.plan_id for c in corrections], "keys": [c.correction_key for c in corrections],
            "statuses": [str(status) for status in statuses], "found": values, "now": clock.now(),
        })
    settled: list[tuple[Correction, Outcome]] = []
    for c in corrections:
        if c.correction_key in in_doubt:
            outcome = after_doubt(con, c, readings.get(c.correction_key))
            # That a request was not made no reading tells: the writer is asked, the next time that anything is pushed.
            is_told = outcome.status is OutcomeStatus.APPLIED or c.entity not in requests
            if outcome.status is not OutcomeStatus.UNKNOWN and is_told:
                settled.append((c, outcome))
    record_settled(con, settled, clock=clock)
    return dict(Counter(str(status) for status in statuses))
