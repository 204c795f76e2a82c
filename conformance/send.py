"""Sends corrections by push's own sender, over its own journal: batches, keys, last looks, lost answers as in a night.

Knows no bench: whose records may be written, and what was there before, is its affair.
"""

from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import timedelta

import duckdb

from conformance.hands import CarriesOut, Hands
from conformance.verdicts import Failed, NotShown
from pipelines.channels.base import Channel
from pipelines.http import Session
from pipelines.ledger.plans import PlanHead
from pipelines.model import Correction, Outcome, OutcomeStatus
from pipelines.push.journal import Approved, Journal
from pipelines.push.send import SystemPush

_OUTCOMES = (
    "SELECT o.correction_key, arg_max(o.status, o.rowid), arg_max(o.code, o.rowid), arg_max(o.version_after, o.rowid) "
    "FROM ledger.sync.outcomes AS o WHERE o.plan_id = ? GROUP BY o.correction_key"
)


def need_effects(channel: Channel, hands: Hands | None, entities: Container[str]) -> None:
    """NotShown where a write is a request that nobody here carries out: it could be neither seen nor taken back."""
    requests = any(w.settles_within is not None and w.entity in entities for w in channel.writers)
    if requests and not (isinstance(hands, CarriesOut) and hands.carries_out()):
        raise NotShown("a write is a request that is carried out later: it would be neither seen nor taken back")


async def send(
    con: duckdb.DuckDBPyConnection, session: Session, channel: Channel, corrections: Sequence[Correction], plan: str,
    *, looks: bool,
) -> dict[str, Outcome]:
    """The last outcome of each, by key. Failed where the system was stopped.

    `looks`: read back just before a write where the connector asks for it.
    """
    until = session.clock.now() + timedelta(hours=1)
    writers = tuple(replace(one, needs_check=one.needs_check and looks) for one in channel.writers)
    sender = SystemPush(
        con, Journal(con, PlanHead(plan, plan, "main", until, plan), session.clock), replace(channel, writers=writers),
        session, may_send=lambda: "", canary_rows=0,
    )
    await sender.run([Approved(c, "policy", until) for c in corrections])
    found = con.execute(_OUTCOMES, [plan]).fetchall()
    if sender.stopped:
        raise Failed(f"the system was stopped: {sender.stopped}")
    return {str(key): Outcome(str(key), OutcomeStatus(s), c, version_after=v) for key, s, c, v in found}
