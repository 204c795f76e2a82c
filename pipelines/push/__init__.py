"""Stage 7, push: approved corrections to all systems at once; an intent before each call, one outcome per correction.

Reads one plan and its approvals from the ledger, writes `ledger.sync.intents` and `outcomes`, and the systems. Before
anything is sent: the plan's rows are those that were fingerprinted, the system is the one that the estate names (R20),
writes of unknown end are read back (R1), what is sent is armed now (`pipelines.arming`), and no customer is written
where opt-outs have not gone out first.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from pipelines.arming.armings import Armed
from pipelines.arming.scope import Group
from pipelines.channels.base import Channel
from pipelines.clock import Clock
from pipelines.errors import ChannelError
from pipelines.http import Session
from pipelines.kill_switch import is_set
from pipelines.ledger.audit import check_audit
from pipelines.ledger.plans import PlanHead, read_plan
from pipelines.push.journal import Approved, Journal, close_planned, read_approved
from pipelines.push.optouts import Blocks, blocks_of
from pipelines.push.send import REASONS, SystemPush
from pipelines.push.settle import settle_unknown
from pipelines.readback import Sessions

CANARY_ROWS = 20
"""Rows of one field and system that go first (R8), unless the policy says otherwise."""
KILLED = REASONS["kill_switch"]
NOT_COVERED = "no arming that counts now covers it"

__all__ = ["KILLED", "NOT_COVERED", "PushReport", "SystemReport", "push_plan", "settle_unknown"]


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
    con: duckdb.DuckDBPyConnection, plan_id: str, sessions: Sessions, *, armed: Armed, clock: Clock,
    kill_switch: Path | None = None, fence: Fence | None = None, canary_rows: int = CANARY_ROWS,
) -> PushReport:
    """Send what is approved, armed and not yet ended; called again after a crash, it goes on where it was.

    `kill_switch`: a file; while it exists nothing more is sent. StalePlan where the plan or the audit of its night were
    changed since they were written down; LeaseHeld where `fence` says so; both before or between calls, never during
    one. One system's failure is in the report and stops no other.
    """
    head = read_plan(con, plan_id)
    check_audit(con, _of_night(con, head))
    if fence is not None:
        fence.check()
    await settle_unknown(con, sessions, clock=clock)
    close_planned(con, plan_id)
    by_system: dict[str, list[Approved]] = {}
    unarmed: Counter[str] = Counter()
    journal = Journal(con, head, clock)
    approved = read_approved(con, head, clock=clock)
    ends = armed.groups(head.lane, Counter(_group(row) for row in approved))
    for row in approved:
        if (until := ends.get(_group(row))) is not None:
            by_system.setdefault(row.correction.system, []).append(_bounded(row, head, until))
    for system, rows in _left(approved, ends).items():
        journal.skip([row.correction for row in rows], "unarmed", armed.why_not(head.lane) or NOT_COVERED)
        unarmed[system] = len(rows)
    blocks = blocks_of(con, head)
    # An opt-out is right however many there are: nothing waits for a canary.
    canary = canary_rows if head.lane == "main" else 0

    def may_send() -> str:
        if fence is not None:
            fence.check()
        return "kill_switch" if kill_switch is not None and is_set(kill_switch) else ""

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
        return SystemReport(dict(counts), push.stopped or push.halted)

    names = sorted(by_system)
    results = await asyncio.gather(*(one(name, by_system[name]) for name in names), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    told = {name: r for name, r in zip(names, results, strict=True) if isinstance(r, SystemReport)}
    systems = sorted({*told, *unarmed})
    return PushReport(plan_id, {name: _with_skipped(told.get(name), unarmed[name]) for name in systems})


def _of_night(con: duckdb.DuckDBPyConnection, head: PlanHead) -> list[str]:
    """The plans whose records decide what is sent: this one, and its night's opt-outs."""
    query = "SELECT p.plan_id FROM ledger.sync.plans AS p WHERE p.night_id = ? ORDER BY p.plan_id"
    return sorted({head.plan_id, *(str(row[0]) for row in con.execute(query, [head.night_id]).fetchall())})


def _group(row: Approved) -> Group:
    return row.correction.system, row.correction.entity, row.correction.field


def _left(approved: Sequence[Approved], ends: Mapping[Group, datetime]) -> dict[str, list[Approved]]:
    """Rows that are approved and not armed any more, by system."""
    found: dict[str, list[Approved]] = {}
    for row in approved:
        if _group(row) not in ends:
            found.setdefault(row.correction.system, []).append(row)
    return found


def _with_skipped(report: SystemReport | None, more: int) -> SystemReport:
    report = report or SystemReport()
    return replace(report, counts=dict(Counter(report.counts) + Counter({"skipped": more})))


def _bounded(row: Approved, head: PlanHead, armed_until: datetime) -> Approved:
    """No word outlives its arming. Policy's ends with the plan's age, too; a person's is over a fresh reading."""
    end = armed_until if row.approver != "policy" else min(armed_until, head.expires_at)
    return replace(row, valid_until=min(row.valid_until, end))


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
