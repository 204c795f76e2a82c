"""Stage 7, push: approved corrections to all systems at once; an intent before each call, one outcome per correction.

Reads one plan and its approvals from the ledger, writes `ledger.sync.intents` and `outcomes`, and the systems. Before
anything is sent: the plan's rows are those that were fingerprinted, the system is the one that the estate names (R20),
writes of unknown end are read back (R1), and no customer is written where opt-outs have not gone out first.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import duckdb

from pipelines.channels.base import Channel
from pipelines.clock import Clock
from pipelines.errors import ChannelError
from pipelines.http import Session
from pipelines.ledger.plans import PlanHead, read_plan
from pipelines.push.journal import Approved, Journal, close_planned, read_approved
from pipelines.push.optouts import Blocks, blocks_of
from pipelines.push.send import SystemPush
from pipelines.push.settle import settle_unknown
from pipelines.readback import Sessions

CANARY_ROWS = 20

__all__ = ["PushReport", "SystemReport", "push_plan", "settle_unknown"]


class Fence(Protocol):
    """The writing lease: `check` raises LeaseHeld when it is another's by now (R5)."""

    def check(self) -> None:
        """Return if this run still may write."""
        ...


@dataclass(frozen=True, slots=True)
class SystemReport:
    """What became of one system's rows."""

    counts: dict[str, int] = field(default_factory=dict)
    """Rows by outcome status."""
    stopped: str = ""
    """Why the system was stopped before its end; '' if it was not."""


@dataclass(frozen=True, slots=True)
class PushReport:
    """What became of one plan."""

    plan_id: str
    systems: dict[str, SystemReport]

    @property
    def is_partial(self) -> bool:
        """Whether a system was stopped or left out."""
        return any(report.stopped for report in self.systems.values())


async def push_plan(
    con: duckdb.DuckDBPyConnection, plan_id: str, sessions: Sessions, *, clock: Clock,
    kill_switch: Path | None = None, fence: Fence | None = None, canary_rows: int = CANARY_ROWS,
) -> PushReport:
    """Send what is approved and not yet ended; called again after a crash, it goes on where it was.

    `kill_switch`: a file; while it exists nothing more is sent. StalePlan where the plan's rows were changed since they
    were fingerprinted; LeaseHeld where `fence` says so; both before or between calls, never during one. One system's
    failure is in the report and stops no other.
    """
    head = read_plan(con, plan_id)
    if fence is not None:
        fence.check()
    await settle_unknown(con, sessions, clock=clock)
    close_planned(con, plan_id)
    by_system: dict[str, list[Approved]] = {}
    for row in read_approved(con, head, clock=clock):
        by_system.setdefault(row.correction.system, []).append(_bounded(row, head))
    blocks = blocks_of(con, head)
    # An opt-out is right however many there are: nothing waits for a canary.
    canary = canary_rows if head.lane == "main" else 0

    def may_send() -> str:
        if fence is not None:
            fence.check()
        return "kill_switch" if kill_switch is not None and kill_switch.exists() else ""

    journal = Journal(con, head, clock)

    async def one(system: str, rows: Sequence[Approved]) -> SystemReport:
        if system not in sessions:
            return _left_out(journal, rows, "stopped", f"{system} is not connected tonight")
        channel, session = sessions[system]
        stop = await _stranger(con, channel, session)
        if stop is not None:
            return _left_out(journal, rows, *stop)
        push = SystemPush(con, journal, channel, session, may_send=may_send, canary_rows=canary)
        open_rows, shut = _sorted_out(rows, blocks)
        for (code, message), members in shut.items():
            journal.skip([row.correction for row in members], code, message)
        await push.run(open_rows)
        counts = push.counts + Counter({"skipped": sum(len(members) for members in shut.values())})
        return SystemReport(dict(counts), push.stopped)

    names = sorted(by_system)
    results = await asyncio.gather(*(one(name, by_system[name]) for name in names), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return PushReport(plan_id, {name: r for name, r in zip(names, results, strict=True) if isinstance(r, SystemReport)})


def _bounded(row: Approved, head: PlanHead) -> Approved:
    """Policy's word ends with the plan's age; a person's lives its own days, over a fresh reading of the row."""
    if row.approver != "policy":
        return row
    return replace(row, valid_until=min(row.valid_until, head.expires_at))


def _sorted_out(
    rows: Sequence[Approved], blocks: Blocks
) -> tuple[list[Approved], dict[tuple[str, str], list[Approved]]]:
    """Rows that may go, and those that the rules of consent keep back, by code and message."""
    free: list[Approved] = []
    shut: dict[tuple[str, str], list[Approved]] = {}
    for row in rows:
        reason = blocks.reason(row)
        if reason is None:
            free.append(row)
        else:
            shut.setdefault(reason, []).append(row)
    return free, shut


async def _stranger(con: duckdb.DuckDBPyConnection, channel: Channel, session: Session) -> tuple[str, str] | None:
    """Outcome code and message where this is not the shop that the estate names, or does not say (R20)."""
    row = con.execute("SELECT shop_id FROM estate.systems WHERE system = ?", [channel.name]).fetchone()
    try:
        identity = await channel.identify(session)
    except ChannelError as error:
        return "stopped", f"{type(error).__name__}: {error}"
    if row is None:
        return "wrong_shop", f"the estate names no shop of {channel.name}"
    if identity.shop_id != row[0]:
        return "wrong_shop", f"this is shop {identity.shop_id!r}, the estate names {row[0]!r}"
    return None


def _left_out(journal: Journal, rows: Sequence[Approved], code: str, message: str) -> SystemReport:
    journal.skip([row.correction for row in rows], code, message)
    return SystemReport({"skipped": len(rows)}, message)
