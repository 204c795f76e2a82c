"""Stage 6, approve: who allows which correction, until when, of which plan. Nothing is written to a system here.

Policy approves what the planner marked `approve`, for 60 minutes. A person's word comes from `ledger.sync.answers` (the
inbox): given before the plan, the planner has already used it; given after, `approve_by_person` releases rows that the
plan holds. It lives 7 days, and push reads such a row back by id before it writes. No approval outlives what it is of:
the price of a promotion ends with its last day. Each carries the plan's fingerprint: it is of these very rows. What a
younger word keeps back (`pipelines.ledger.withdrawn`) nobody approves.
"""

from datetime import timedelta

import duckdb

from pipelines.clock import Clock
from pipelines.errors import ConfigurationError
from pipelines.ledger.withdrawn import WITHDRAWN

POLICY_APPROVAL = timedelta(minutes=60)
PERSON_APPROVAL = timedelta(days=7)

_IS_FREE = """
  AND NOT EXISTS (
    SELECT 1 FROM ledger.sync.approvals AS g WHERE g.plan_id = c.plan_id AND g.correction_key = c.correction_key)
  AND c.correction_key NOT IN (""" + WITHDRAWN + ")"

BY_POLICY = """
INSERT INTO ledger.sync.approvals
SELECT c.plan_id, c.correction_key, c.approver, c.disposition_reason, $now,
  least(c.desired_until,
    CASE WHEN c.approver <> 'policy' THEN coalesce(a.answered_at + $person, $now + $policy)
         WHEN p.lane = 'suppression' THEN greatest(p.expires_at, $now + $policy)
         ELSE $now + $policy END),
  p.fingerprint
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN (
  SELECT w.correction_key, max(w.at) AS answered_at FROM ledger.sync.answers AS w WHERE w.answer = 'approve'
  GROUP BY w.correction_key
) AS a ON a.correction_key = c.correction_key
WHERE c.plan_id = $plan_id AND c.disposition = 'approve' AND c.approver IS NOT NULL
""" + _IS_FREE

BY_PERSON = """
INSERT INTO ledger.sync.approvals
SELECT c.plan_id, c.correction_key, a.author, a.reason, $now, least(c.desired_until, a.answered_at + $person),
  p.fingerprint
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
JOIN (
  SELECT w.correction_key, w.answer, w.author, w.reason, w.at AS answered_at FROM ledger.sync.answers AS w
  QUALIFY row_number() OVER (PARTITION BY w.correction_key ORDER BY w.at DESC, w.answer_id DESC) = 1
) AS a ON a.correction_key = c.correction_key
WHERE c.plan_id = $plan_id AND c.is_releasable AND a.answer = 'approve' AND a.answered_at + $person > $now
""" + _IS_FREE


def approve_by_policy(con: duckdb.DuckDBPyConnection, plan_id: str, *, clock: Clock) -> int:
    """Approve what the planner said may go; returns how many rows. Said twice, it adds nothing."""
    return _approve(con, plan_id, BY_POLICY, {"policy": POLICY_APPROVAL}, clock)


def approve_by_person(con: duckdb.DuckDBPyConnection, plan_id: str, *, clock: Clock) -> int:
    """Release rows of a stored plan that people have approved since; returns how many.

    Only rows that the plan calls releasable: not what is refused, unwritable, or held since a read was incomplete.
    """
    return _approve(con, plan_id, BY_PERSON, {}, clock)


def _approve(
    con: duckdb.DuckDBPyConnection, plan_id: str, statement: str, more: dict[str, timedelta], clock: Clock
) -> int:
    if con.execute("SELECT 1 FROM ledger.sync.plans WHERE plan_id = ?", [plan_id]).fetchone() is None:
        raise ConfigurationError(f"there is no plan {plan_id}")
    row = con.execute(
        statement, {"plan_id": plan_id, "now": clock.now(), "person": PERSON_APPROVAL, **more}
    ).fetchone()
    return int(row[0]) if row else 0
