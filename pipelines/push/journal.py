"""What push writes down and reads from the ledger: the plan as approved, intents before a call, outcomes after it.

Short transactions, always from the event loop's own thread. An intent is durable before its call is made; an outcome
is durable before the next batch of its worker; batches of one moment share a commit. Nothing here talks to a system.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.clock import Clock
from pipelines.ledger.audit import append
from pipelines.ledger.plans import CORRECTION, PlanHead, append_outcomes, correction_of, transaction
from pipelines.ledger.withdrawn import WITHDRAWN
from pipelines.model import Correction, Outcome, OutcomeStatus
from pipelines.push.compose import Batch

_APPROVED = (
    "SELECT g.approver, g.valid_until, o.status, o.code, " + CORRECTION + """
FROM ledger.sync.corrections AS c
JOIN (
  SELECT a.correction_key, any_value(a.approver ORDER BY a.approver = 'policy', a.valid_until DESC) AS approver,
    max(a.valid_until) AS valid_until
  FROM ledger.sync.approvals AS a WHERE a.plan_id = $plan_id AND a.fingerprint = $fingerprint
  GROUP BY a.correction_key
) AS g ON g.correction_key = c.correction_key
LEFT JOIN (
  SELECT x.correction_key, arg_max(x.status, x.rowid) AS status, arg_max(x.code, x.rowid) AS code
  FROM ledger.sync.outcomes AS x WHERE x.plan_id = $plan_id GROUP BY x.correction_key
) AS o ON o.correction_key = c.correction_key
WHERE c.plan_id = $plan_id AND (c.disposition = 'approve' OR c.is_releasable)
  AND (o.status IS NULL OR (o.status = 'skipped' AND o.code <> 'already'))
  AND c.correction_key NOT IN (""" + WITHDRAWN + """)
ORDER BY c.system, c.entity, c.vendor_id, c.vendor_sub_id, c.field, c.correction_key
"""
)


_INTENTS = """
SELECT $plan_id AS plan_id, unnest($keys::VARCHAR[]) AS correction_key, unnest($batch_ids::VARCHAR[]) AS batch_id,
  unnest($vendor_keys::VARCHAR[]) AS vendor_key, unnest($attempts::INTEGER[]) AS attempt, $now AS composed_at,
  $state AS state, $sent_at::TIMESTAMPTZ AS sent_at
"""


@dataclass(frozen=True, slots=True)
class Approved:
    """One correction that may be written, on whose word, until when."""

    correction: Correction
    approver: str
    valid_until: datetime


def read_approved(con: duckdb.DuckDBPyConnection, head: PlanHead, *, clock: Clock) -> list[Approved]:
    """Rows with an approval of this very plan, not taken back since, that have not ended yet, in a fixed order."""
    bound = {"plan_id": head.plan_id, "fingerprint": head.fingerprint, "now": clock.now()}
    rows = con.execute(_APPROVED, bound).fetchall()
    return [Approved(correction_of(row[4:]), row[0], row[1]) for row in rows]


def close_planned(con: duckdb.DuckDBPyConnection, plan_id: str) -> None:
    """Close intents that an earlier, broken-off push composed but never sent."""
    con.execute("UPDATE ledger.sync.intents SET state = 'settled' WHERE plan_id = ? AND state = 'planned'", [plan_id])


class Journal:
    """The write-ahead record of one plan."""

    def __init__(self, con: duckdb.DuckDBPyConnection, head: PlanHead, clock: Clock) -> None:
        self._con, self._clock = con, clock
        self.head = head
        self._new: list[Batch] = []
        self._sent: list[Batch] = []
        self._settled: list[Batch] = []
        self._outcomes: list[tuple[str | None, Outcome]] = []
        self._waiters: list[asyncio.Future[None]] = []

    def earlier(self) -> tuple[int, dict[str, int]]:
        """How many batches of this plan were composed before, and the last attempt of each correction."""
        rows = self._con.execute(
            "SELECT i.correction_key, max(i.attempt), count(*) FROM ledger.sync.intents AS i WHERE i.plan_id = ? "
            "AND i.state <> 'planned' GROUP BY i.correction_key", [self.head.plan_id],
        ).fetchall()
        count = self._con.execute(
            "SELECT count(DISTINCT i.batch_id) FROM ledger.sync.intents AS i WHERE i.plan_id = ?", [self.head.plan_id]
        ).fetchone()
        return int(count[0]) if count else 0, {str(key): int(attempt) for key, attempt, _ in rows}

    def plan(self, batches: Sequence[Batch]) -> None:
        """Store compositions that are about to be sent."""
        with transaction(self._con):
            self._insert(batches, "planned")

    async def send(self, batch: Batch, *, is_planned: bool) -> None:
        """Return once it is durable that this batch goes out now; a crash from here on means: read back."""
        (self._sent if is_planned else self._new).append(batch)
        await self._durable()

    async def settle(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Return once the outcomes are recorded and the batch's intents closed, together."""
        self._outcomes += [(batch.batch_id, outcome) for outcome in outcomes]
        self._settled.append(batch)
        await self._durable()

    def skip(self, corrections: Sequence[Correction], code: str, message: str) -> None:
        """Record that these were not sent, and why."""
        with transaction(self._con):
            self._record([(None, Outcome(c.correction_key, OutcomeStatus.SKIPPED, code, message)) for c in corrections])

    def _durable(self) -> asyncio.Future[None]:
        """Joins the next commit: batches that meet in one turn of the loop share it, since commits cost the most."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        if not self._waiters:
            loop.call_soon(self._flush)
        self._waiters.append(waiter)
        return waiter

    def _flush(self) -> None:
        waiters, self._waiters = self._waiters, []
        try:
            with transaction(self._con):
                self._insert(self._new, "sent")
                self._mark(self._sent, "sent", self._clock.now())
                self._record(self._outcomes)
                self._mark(self._settled, "settled", None)
        except BaseException as error:
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(error)
            return
        finally:
            self._new, self._sent, self._settled, self._outcomes = [], [], [], []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _insert(self, batches: Sequence[Batch], state: str) -> None:
        if not batches:
            return
        rows = [(c.correction_key, batch) for batch in batches for c in batch.corrections]
        now = self._clock.now()
        append(self._con, "intents", _INTENTS, {
            "plan_id": self.head.plan_id, "keys": [key for key, _ in rows],
            "batch_ids": [batch.batch_id for _, batch in rows], "vendor_keys": [batch.vendor_key for _, batch in rows],
            "attempts": [batch.attempt for _, batch in rows], "state": state, "now": now,
            "sent_at": now if state == "sent" else None,
        })

    def _mark(self, batches: Sequence[Batch], state: str, sent_at: datetime | None) -> None:
        if not batches:
            return
        self._con.execute(
            "UPDATE ledger.sync.intents SET state = ?, sent_at = coalesce(?, sent_at) WHERE plan_id = ? "
            "AND list_contains(?::VARCHAR[], batch_id)",
            [state, sent_at, self.head.plan_id, [batch.batch_id for batch in batches]],
        )

    def _record(self, outcomes: Sequence[tuple[str | None, Outcome]]) -> None:
        if not outcomes:
            return
        append_outcomes(
            self._con, [self.head.plan_id] * len(outcomes), [outcome for _, outcome in outcomes],
            [batch_id for batch_id, _ in outcomes], clock=self._clock,
        )
