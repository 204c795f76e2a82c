"""One system's share of a push: its writers one after the other, each with several batches in flight.

A batch is made durable, sent, and its outcomes recorded at once. What a lost answer did is found out by the same bytes
under the same key where the vendor has keys or compare-and-set, else by reading back (R1); a batch that is refused
whole is halved (R2); a row whose vendor cannot compare is read back just before (R3). A fatal error stops this system
only. Before every batch `may_send` is asked (kill switch, lease), and rows whose approval has run out are left behind.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import duckdb

from pipelines.channels.base import Channel, Writer
from pipelines.channels.foreseen import UNKNOWN_SHAPE
from pipelines.errors import (
    AmbiguousWrite,
    ChannelError,
    CredentialError,
    FatalChannelError,
    RejectedCorrection,
    RetriableChannelError,
)
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus
from pipelines.push.compose import Batch, chunks, halves, in_order, vendor_key, waves
from pipelines.push.journal import Approved, Journal
from pipelines.readback import after_doubt, before_write, read_back, skipped

REFUSED_WHOLE = frozenset({400, 404, 409, 422})
"""A batch answered so was not applied, none of it."""
SAFE_RUNGS = frozenset({1, 2})
"""Compare-and-set or idempotency key: the same bytes may be sent again."""
CANARY_WAITS = (2.0, 8.0)
"""Seconds of the clock in which a vendor that lags may show the canary's values."""
REASONS = {
    "kill_switch": "the kill switch is on",
    "expired": "the approval had run out before the row's turn came",
}

MaySend = Callable[[], str]
"""Why nothing may be sent any more (a key of REASONS); '' = go on."""


class SystemPush:
    """Sends one system's corrections of one plan. One use."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, journal: Journal, channel: Channel, session: Session, *,
        may_send: MaySend, canary_rows: int,
    ) -> None:
        self._con, self._journal, self._channel, self._session = con, journal, channel, session
        self._may_send, self._canary_rows = may_send, canary_rows
        self._ordinal, self._attempts = journal.earlier()
        self._approved: dict[str, Approved] = {}
        self._versions: dict[str, tuple[str | None, str | None]] = {}
        self._applied: set[str] = set()
        self.stopped = self.halted = ""
        """Why the system was stopped, by an error of its own or by word from outside; '' while it goes on."""
        self.counts: Counter[str] = Counter()

    async def run(self, rows: Sequence[Approved]) -> None:
        """Send all rows that may be sent; every row has an outcome afterwards."""
        self._approved = {row.correction.correction_key: row for row in rows}
        pending = [row.correction for row in rows]
        for writer in sorted(self._channel.writers, key=lambda w: (w.entity, sorted(w.fields))):
            mine = [c for c in pending if c.entity == writer.entity and c.field in writer.fields]
            if mine:
                taken = {c.correction_key for c in mine}
                pending = [c for c in pending if c.correction_key not in taken]
                await self._run_writer(writer, mine)
        self._skip(pending, "no_writer", f"{self._channel.name} has no writer for this field")

    async def _run_writer(self, writer: Writer, corrections: Sequence[Correction]) -> None:
        canary, rest = waves(in_order(corrections, writer), self._canary_rows)
        if canary:
            await self._send_all(writer, canary)
            failed = await self._failed_fields(writer, canary)
            self._skip([c for c in rest if c.field in failed], "canary", "the first rows did not come out as planned")
            rest = [c for c in rest if c.field not in failed]
        await self._send_all(writer, rest)

    async def _send_all(self, writer: Writer, corrections: Sequence[Correction]) -> None:
        batches = [self._batch(rows, 1) for rows in chunks(corrections, writer)]
        self._journal.plan(batches)
        queue: Iterator[Batch] = iter(batches)

        async def work() -> None:
            for batch in queue:
                await self._take(writer, batch)

        workers = min(writer.max_in_flight, len(batches))
        for result in await asyncio.gather(*(work() for _ in range(workers)), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _take(self, writer: Writer, planned: Batch) -> None:
        """One planned batch, from the last check to its outcomes."""
        batch = await self._open_part(planned)
        if batch is None:
            return
        checks_all, rows = writer.needs_check, self._approved  # what a person approved may lie days back
        checked = [c for c in batch.corrections if checks_all or rows[c.correction_key].approver != "policy"]
        if not checked:
            await self._send(writer, batch, is_planned=batch is planned)
            return
        try:
            readings = await read_back(self._channel, self._session, checked)
        except ChannelError as error:
            self._stop(error)
            await self._settle(batch, [skipped(c, "stopped", self.stopped) for c in batch.corrections])
            return
        opened = await self._open_part(batch)  # a reading takes its time
        if opened is None:
            return
        batch = opened
        drops = [
            outcome for c in batch.corrections if c in checked
            and (outcome := before_write(self._con, c, readings.get(c.correction_key))) is not None
        ]
        gone = {outcome.correction_key for outcome in drops}
        left = [c for c in batch.corrections if c.correction_key not in gone]
        if not drops:
            await self._send(writer, batch, is_planned=batch is planned)
            return
        await self._settle(batch, drops)
        if left:
            await self._send(writer, self._batch(left, batch.attempt), is_planned=False)

    async def _send(self, writer: Writer, batch: Batch, *, is_planned: bool) -> None:
        """Send one batch whose rows have been checked; settles every row of it."""
        await self._journal.send(batch, is_planned=is_planned)
        try:
            outcomes = await self._write(writer, batch)
        except AmbiguousWrite as error:
            if error.code == UNKNOWN_SHAPE:  # the same bytes would get the same answer
                await self._decide(writer, batch, may_resend=True, strange=error.message)
            else:
                await self._after_lost_answer(writer, batch)
        except RejectedCorrection as error:
            await self._halve(writer, batch, "refused", error.request_id)
        except CredentialError as error:
            self._stop(error)
            if writer.asked is None:
                await self._settle(batch, [skipped(c, "stopped", self.stopped) for c in batch.corrections])
            else:  # a part of it may have been let in
                await self._decide(writer, batch, may_resend=False)
        except RetriableChannelError as error:
            self._stop(error)
            await self._decide(writer, batch, may_resend=False)
        except FatalChannelError as error:
            if error.status in REFUSED_WHOLE:
                await self._halve(writer, batch, error.code or str(error.status), error.request_id)
            else:
                self._stop(error)
                await self._decide(writer, batch, may_resend=False)
        else:
            await self._settle(batch, outcomes)

    async def _write(self, writer: Writer, batch: Batch) -> list[Outcome]:
        sent = [self._with_version(correction) for correction in batch.corrections]
        outcomes = await writer.write(self._session, sent, batch.vendor_key)
        if [outcome.correction_key for outcome in outcomes] != [c.correction_key for c in batch.corrections]:
            raise FatalChannelError("the writer did not answer for every row", system=self._channel.name)
        return outcomes

    async def _after_lost_answer(self, writer: Writer, batch: Batch) -> None:
        if self._may_send() or not all(self._channel.rungs(c) & SAFE_RUNGS for c in batch.corrections):
            await self._decide(writer, batch, may_resend=batch.attempt == 1)
            return
        try:
            outcomes = await self._write(writer, batch)
        except ChannelError as error:
            if not isinstance(error, AmbiguousWrite):
                self._stop(error)
            await self._decide(writer, batch, may_resend=False)
            return
        # A compare-and-set that the first try had won answers "stale" now: only a reading can tell.
        if all(outcome.status is OutcomeStatus.APPLIED for outcome in outcomes):
            await self._settle(batch, outcomes)
        else:
            await self._decide(writer, batch, may_resend=False, said=outcomes)

    async def _decide(
        self, writer: Writer, batch: Batch, *, may_resend: bool, said: Sequence[Outcome] = (), strange: str = ""
    ) -> None:
        """Find out by reading what became of a batch; what was not applied is sent once more where allowed.

        Where a write is a request no reading tells that it was not made: then the writer is asked. What came to nothing
        but an answer of an unknown shape is sent in halves, down to the row that is to blame, which is refused.
        """
        try:
            if writer.asked is not None and not said:
                said = await writer.asked(self._session, batch.corrections, batch.vendor_key)
            readings = await read_back(self._channel, self._session, batch.corrections)
        except ChannelError as error:
            self._stop(error)
            readings = {}
        words = {outcome.correction_key: outcome for outcome in said}
        outcomes, again = [], []
        for c in batch.corrections:
            outcome = after_doubt(self._con, c, readings.get(c.correction_key), words.get(c.correction_key))
            if outcome.code == "not_applied" and may_resend and not self.stopped:
                again.append(c)
            else:
                outcomes.append(outcome)
        if strange and len(batch.corrections) == len(again) == 1:
            why = f"{strange}, and nothing was done"
            outcomes = [Outcome(again.pop().correction_key, OutcomeStatus.REJECTED, UNKNOWN_SHAPE, why)]
        await self._settle(batch, outcomes)
        await self._send_parts(writer, halves(again) if strange else [again], batch.attempt + 1)

    async def _halve(self, writer: Writer, batch: Batch, code: str, request_id: str) -> None:
        """A batch refused whole: its halves are new batches with new keys, down to the row that is bad."""
        if len(batch.corrections) == 1:
            key = batch.corrections[0].correction_key
            refused = Outcome(key, OutcomeStatus.REJECTED, code, "the vendor refused the row", request_id)
            await self._settle(batch, [refused])
            return
        await self._settle(batch, [])
        await self._send_parts(writer, halves(batch.corrections), batch.attempt)

    async def _send_parts(self, writer: Writer, parts: Sequence[Sequence[Correction]], attempt: int) -> None:
        for part in filter(None, parts):
            if (opened := await self._open_part(self._batch(part, attempt))) is not None:
                await self._send(writer, opened, is_planned=False)

    async def _failed_fields(self, writer: Writer, canary: Sequence[Correction]) -> set[str]:
        """Fields of the canary where nothing was applied, or something that was does not read as desired.

        Where a write is a request that is carried out later, nothing can be read yet: that it was taken is all.
        """
        fields = {c.field for c in canary}
        applied = [c for c in canary if c.correction_key in self._applied]
        if writer.settles_within is not None:
            return fields - {c.field for c in applied}
        for wait in (*CANARY_WAITS, None):
            try:
                readings = {} if self.stopped else await read_back(self._channel, self._session, applied)
            except ChannelError as error:
                self._stop(error)
                readings = {}
            wrong = [
                c for c in applied if after_doubt(self._con, c, readings.get(c.correction_key)).code != "read_back"
            ]
            if not wrong or self.stopped or wait is None:
                break
            await self._session.clock.sleep(wait)
        return fields - ({c.field for c in applied} - {c.field for c in wrong})

    async def _open_part(self, batch: Batch) -> Batch | None:
        """What of a batch may still go out: all of it, or a batch of the rest. Other rows are settled as skipped."""
        code = "stopped" if self.stopped else self._may_send()
        if code:
            self.halted = self.halted or REASONS.get(code, "")
            await self._settle(batch, [skipped(c, code, self.stopped or REASONS[code]) for c in batch.corrections])
            return None
        now = self._session.clock.now()
        left = [c for c in batch.corrections if now <= self._approved[c.correction_key].valid_until]
        if len(left) == len(batch.corrections):
            return batch
        kept = {c.correction_key for c in left}
        late = [c for c in batch.corrections if c.correction_key not in kept]
        await self._settle(batch, [skipped(c, "expired", REASONS["expired"]) for c in late])
        return self._batch(left, batch.attempt) if left else None

    def _batch(self, corrections: Sequence[Correction], attempt: int) -> Batch:
        head = self._journal.head
        self._ordinal += 1
        attempt = max(attempt, *(self._attempts.get(c.correction_key, 0) + 1 for c in corrections))
        return Batch(
            f"{self._ordinal:06d}.{self._channel.name}.{corrections[0].entity}",
            vendor_key(head.plan_id, head.fingerprint, corrections, attempt), attempt, tuple(corrections),
        )

    def _with_version(self, correction: Correction) -> Correction:
        """The version that our own earlier write of this push left, where the plan saw the one before it."""
        seen, now = self._versions.get(correction.vendor_id, (None, None))
        return replace(correction, version=now) if now is not None and correction.version == seen else correction

    async def _settle(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        await self._journal.settle(batch, outcomes)
        rows = {c.correction_key: c for c in batch.corrections}
        for outcome in outcomes:
            self.counts[str(outcome.status)] += 1
            if outcome.status is OutcomeStatus.APPLIED:
                self._applied.add(outcome.correction_key)
                correction = rows[outcome.correction_key]
                if outcome.version_after is not None:
                    self._versions[correction.vendor_id] = (correction.version, outcome.version_after)

    def _skip(self, corrections: Sequence[Correction], code: str, message: str) -> None:
        self._journal.skip(corrections, code, message)
        self.counts[str(OutcomeStatus.SKIPPED)] += len(corrections)

    def _stop(self, error: ChannelError) -> None:
        """No further batch goes to this system; the first reason is kept."""
        self.stopped = self.stopped or f"{type(error).__name__}: {error}"
