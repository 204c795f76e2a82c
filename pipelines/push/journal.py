"""What push writes down and reads from the ledger: the plan as approved, intents before a call, outcomes after it.

One short transaction each, always from the event loop's own thread. An intent is durable before its call is made; an
outcome is durable before the next batch of its worker. Nothing here talks to a system.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.clock import Clock
from pipelines.ledger.plans import CORRECTION, OUTCOME, PlanHead, correction_of, transaction
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
ORDER BY c.system, c.entity, c.vendor_id, c.vendor_sub_id, c.field, c.correction_key
"""
)


@dataclass(frozen=True, slots=True)
class Approved:
    """One correction that may be written, on whose word, until when."""

    correction: Correction
    approver: str
    valid_until: datetime


def read_approved(con: duckdb.DuckDBPyConnection, head: PlanHead) -> list[Approved]:
    """Rows with an approval of this very plan that have not come to an end yet, in a fixed order."""
    rows = con.execute(_APPROVED, {"plan_id": head.plan_id, "fingerprint": head.fingerprint}).fetchall()
    return [Approved(correction_of(row[4:]), row[0], row[1]) for row in rows]


def close_planned(con: duckdb.DuckDBPyConnection, plan_id: str) -> None:
    """Close intents that an earlier, broken-off push composed but never sent."""
    con.execute("UPDATE ledger.sync.intents SET state = 'settled' WHERE plan_id = ? AND state = 'planned'", [plan_id])


class Journal:
    """The write-ahead record of one plan."""

    def __init__(self, con: duckdb.DuckDBPyConnection, head: PlanHead, clock: Clock) -> None:
        self._con, self._clock = con, clock
        self.head = head

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

    def plan(self, batches: Iterable[Batch]) -> None:
        """Store compositions that are about to be sent."""
        with transaction(self._con):
            for batch in batches:
                self._insert(batch, "planned")

    def send(self, batch: Batch, *, is_planned: bool) -> None:
        """Make it durable that this batch goes out now; a crash from here on means: read back."""
        with transaction(self._con):
            if is_planned:
                self._con.execute(
                    "UPDATE ledger.sync.intents SET state = 'sent', sent_at = ? WHERE plan_id = ? AND batch_id = ?",
                    [self._clock.now(), self.head.plan_id, batch.batch_id],
                )
            else:
                self._insert(batch, "sent")

    def settle(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Record outcomes and close the batch's intents, together."""
        with transaction(self._con):
            self._outcomes(batch.batch_id, outcomes)
            self._con.execute(
                "UPDATE ledger.sync.intents SET state = 'settled' WHERE plan_id = ? AND batch_id = ?",
                [self.head.plan_id, batch.batch_id],
            )

    def skip(self, corrections: Sequence[Correction], code: str, message: str) -> None:
        """Record that these were not sent, and why."""
        with transaction(self._con):
            self._outcomes(
                None, [Outcome(c.correction_key, OutcomeStatus.SKIPPED, code, message) for c in corrections]
            )

    def _insert(self, batch: Batch, state: str) -> None:
        now = self._clock.now()
        self._con.execute(
            "INSERT INTO ledger.sync.intents SELECT ?, unnest(?::VARCHAR[]), ?, ?, ?, ?, ?, ?",
            [
                self.head.plan_id, [c.correction_key for c in batch.corrections], batch.batch_id, batch.vendor_key,
                batch.attempt, state, now, now if state == "sent" else None,
            ],
        )

    def _outcomes(self, batch_id: str | None, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        columns = [[getattr(outcome, name) for outcome in outcomes] for name in OUTCOME]
        self._con.execute(
            "INSERT INTO ledger.sync.outcomes SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
            "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?, ?",
            [self.head.plan_id, *columns, self._clock.now(), batch_id],
        )
