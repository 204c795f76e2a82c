"""Stage 6, approve: who allows which correction, until when, of which plan. Nothing is written to a system here.

Policy approves what the planner marked `approve`, for 60 minutes. A person's word comes from `ledger.sync.answers` (the
inbox): given before the plan, the planner has already used it; given after, `approve_by_person` releases rows that the
plan holds. It lives 7 days, and push reads such a row back by id before it writes. No approval outlives what it is of:
the price of a promotion ends with its last day. Each carries the plan's fingerprint: it is of these very rows. What a
younger word keeps back (`pipelines.ledger.withdrawn`) nobody approves, and what is not armed (`pipelines.arming`)
neither policy nor person does.
"""

from collections import Counter
from datetime import timedelta

import duckdb

from pipelines.arming.armings import Armed
from pipelines.arming.scope import Group
from pipelines.clock import Clock
from pipelines.errors import ConfigurationError
from pipelines.ledger.audit import append
from pipelines.ledger.plans import transaction
from pipelines.ledger.withdrawn import WITHDRAWN

POLICY_APPROVAL = timedelta(minutes=60)
"""How long the policy's word holds (R3), unless the policy says otherwise."""
PERSON_APPROVAL = timedelta(days=7)

_IS_FREE = """
  AND NOT EXISTS (
    SELECT 1 FROM ledger.sync.approvals AS g WHERE g.plan_id = c.plan_id AND g.correction_key = c.correction_key)
  AND c.correction_key NOT IN (""" + WITHDRAWN + """)"""

_IS_ARMED = """
  AND (c.system, c.entity, c.field) IN (
    SELECT (g.x.system, g.x.entity, g.x.field)
    FROM (SELECT unnest($armed::STRUCT(system VARCHAR, entity VARCHAR, field VARCHAR)[]) AS x) AS g)
"""

_COUNTED = """
SELECT c.system, c.entity, c.field, count(*) AS row_count FROM ledger.sync.corrections AS c
LEFT JOIN (
  SELECT DISTINCT w.correction_key FROM ledger.sync.answers AS w WHERE w.answer = 'approve'
) AS a ON a.correction_key = c.correction_key
WHERE c.plan_id = $plan_id
  AND ((c.disposition = 'approve' AND c.approver IS NOT NULL) OR (c.is_releasable AND a.correction_key IS NOT NULL))
GROUP BY c.system, c.entity, c.field ORDER BY ALL
"""
"""How many rows of a plan may be approved by somebody: what an arming's `max_rows` counts, with those of its day."""

_OF_THE_DAY = """
SELECT c.system, c.entity, c.field, count(*) AS row_count
FROM ledger.sync.plans AS own
JOIN ledger.sync.plans AS p ON p.lane = 'main' AND p.plan_id <> own.plan_id
  AND split_part(p.night_id, '.', 1) = split_part(own.night_id, '.', 1)
JOIN ledger.sync.approvals AS g ON g.plan_id = p.plan_id
JOIN ledger.sync.corrections AS c ON c.plan_id = g.plan_id AND c.correction_key = g.correction_key
WHERE own.plan_id = $plan_id AND own.lane = 'main'
GROUP BY c.system, c.entity, c.field ORDER BY ALL
"""
"""Rows that other plans of the same day have been approved for: several narrowed runs are no way past `max_rows`."""

_UNARMED = """
SELECT count(*) AS row_count FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
WHERE c.plan_id = $plan_id AND c.disposition = 'approve' AND c.approver IS NOT NULL
"""

BY_POLICY = """
SELECT c.plan_id, c.correction_key, c.approver, c.disposition_reason AS reason, $now AS approved_at,
  least(c.desired_until,
    CASE WHEN c.approver <> 'policy' THEN coalesce(a.answered_at + $person, $now + $policy)
         WHEN p.lane = 'suppression' THEN greatest(p.expires_at, $now + $policy)
         ELSE $now + $policy END) AS valid_until,
  p.fingerprint
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
LEFT JOIN (
  SELECT w.correction_key, max(w.at) AS answered_at FROM ledger.sync.answers AS w
  WHERE w.answer = 'approve' AND w.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  GROUP BY w.correction_key
) AS a ON a.correction_key = c.correction_key
WHERE c.plan_id = $plan_id AND c.disposition = 'approve' AND c.approver IS NOT NULL
  -- A word that was voided since is none.
  AND (c.approver = 'policy' OR c.rule = 'accept-theirs' OR a.answered_at IS NOT NULL
    OR (c.rule = 'rollback' AND EXISTS (
      SELECT 1 FROM ledger.sync.rollbacks AS r
      JOIN ledger.sync.rollback_rows AS x ON x.rollback_id = r.rollback_id
      JOIN ledger.sync.corrections AS o ON o.plan_id = x.plan_id AND o.correction_key = x.correction_key
      WHERE o.system = c.system AND o.entity = c.entity AND o.field = c.field AND o.vendor_id = c.vendor_id
        AND o.vendor_sub_id = c.vendor_sub_id AND r.author = c.approver
        AND r.rollback_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v))))
""" + _IS_FREE + _IS_ARMED

BY_PERSON = """
SELECT c.plan_id, c.correction_key, a.author AS approver, a.reason, $now AS approved_at,
  least(c.desired_until, a.answered_at + $person) AS valid_until, p.fingerprint
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id
JOIN (
  SELECT w.correction_key, w.answer, w.author, w.reason, w.at AS answered_at FROM ledger.sync.answers AS w
  WHERE w.answer_id NOT IN (SELECT v.answer_id FROM ledger.sync.void_answers AS v)
  QUALIFY row_number() OVER (PARTITION BY w.correction_key ORDER BY w.at DESC, w.answer_id DESC) = 1
) AS a ON a.correction_key = c.correction_key
WHERE c.plan_id = $plan_id AND c.is_releasable AND a.answer = 'approve' AND a.answered_at + $person > $now
""" + _IS_FREE + _IS_ARMED


UNARMED = _UNARMED + _IS_FREE


def approve_by_policy(
    con: duckdb.DuckDBPyConnection, plan_id: str, *, armed: Armed, clock: Clock, holds: timedelta = POLICY_APPROVAL
) -> int:
    """Approve what the planner said may go and is armed; returns how many rows. Said twice, it adds nothing."""
    return _approve(con, plan_id, BY_POLICY, {"policy": holds}, armed, clock)


def approve_by_person(con: duckdb.DuckDBPyConnection, plan_id: str, *, armed: Armed, clock: Clock) -> int:
    """Release rows of a stored plan that people have approved since and that are armed; returns how many.

    Only rows that the plan calls releasable: not what is refused, unwritable, or held since a read was incomplete.
    """
    return _approve(con, plan_id, BY_PERSON, {}, armed, clock)


def unarmed(con: duckdb.DuckDBPyConnection, plan_id: str, *, clock: Clock) -> int:
    """Rows that the planner said may go and nobody has approved: where approving has been tried, they are not armed."""
    row = con.execute(UNARMED, {"plan_id": plan_id, "now": clock.now()}).fetchone()
    return int(row[0]) if row else 0


def is_approved(con: duckdb.DuckDBPyConnection, plan_id: str) -> bool:
    """Whether anything of a plan has ever been approved."""
    query = "SELECT 1 FROM ledger.sync.approvals WHERE plan_id = ? LIMIT 1"
    return con.execute(query, [plan_id]).fetchone() is not None


def _approve(
    con: duckdb.DuckDBPyConnection, plan_id: str, statement: str, more: dict[str, timedelta], armed: Armed, clock: Clock
) -> int:
    lane = con.execute("SELECT lane FROM ledger.sync.plans WHERE plan_id = ?", [plan_id]).fetchone()
    if lane is None:
        raise ConfigurationError(f"there is no plan {plan_id}")
    counts: Counter[Group] = Counter()
    for query in (_COUNTED, _OF_THE_DAY):
        counts.update({(s, e, f): int(n) for s, e, f, n in con.execute(query, {"plan_id": plan_id}).fetchall()})
    groups = [{"system": s, "entity": e, "field": f} for s, e, f in armed.groups(lane[0], counts)]
    bound = {"plan_id": plan_id, "now": clock.now(), "person": PERSON_APPROVAL, "armed": groups, **more}
    with transaction(con):
        return append(con, "approvals", statement, bound)
