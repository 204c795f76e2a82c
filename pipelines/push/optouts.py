"""Opt-outs go first: which customer writes must wait because an opt-out could not be planned or did not go out.

Also the last line of the one-way rule: whatever a plan says, policy alone never raises a permission.
"""

from dataclasses import dataclass

import duckdb

from pipelines.ledger.plans import PlanHead
from pipelines.push.journal import Approved

_PLANNED = """
SELECT count(*) FROM ledger.sync.plans AS p WHERE p.night_id = $night_id AND p.lane = 'suppression'
"""
_STUCK = """
SELECT c.system, c.vendor_id, coalesce(o.status, '') IN ('rejected', 'stale') AS is_one_row
FROM ledger.sync.corrections AS c
JOIN ledger.sync.plans AS p ON p.plan_id = c.plan_id AND p.night_id = $night_id AND p.lane = 'suppression'
LEFT JOIN (
  SELECT x.plan_id, x.correction_key, arg_max(x.status, x.rowid) AS status, arg_max(x.code, x.rowid) AS code
  FROM ledger.sync.outcomes AS x GROUP BY x.plan_id, x.correction_key
) AS o ON o.plan_id = c.plan_id AND o.correction_key = c.correction_key
WHERE c.disposition = 'approve' AND c.drift_class = 'lower'
  AND coalesce(o.status, '') <> 'applied' AND coalesce(o.code, '') <> 'already'
"""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What the state of tonight's opt-outs forbids."""

    is_planned: bool
    systems: frozenset[str]
    """Systems that an opt-out did not reach, for another reason than the row's own."""
    records: frozenset[tuple[str, str]]
    """(system, vendor id) whose own opt-out the vendor refused."""

    def reason(self, row: Approved) -> tuple[str, str] | None:
        """Outcome code and message of a row that must wait; None: it may go."""
        c = row.correction
        if c.entity == "consents":
            is_raise = c.desired != "no" and (row.approver == "policy" or c.drift_class != "raise_with_proof")
            return ("raise", "a permission is raised by a person over proof, or not at all") if is_raise else None
        if c.entity != "customers":
            return None
        if not self.is_planned:
            return "opt_outs", "tonight's opt-outs were not planned, so no customer is written"
        if c.system in self.systems:
            return "opt_outs", f"opt-outs did not all reach {c.system}, so its customers are not written"
        if (c.system, c.vendor_id) in self.records:
            return "opt_outs", "this record's own opt-out was refused, so it is not written"
        return None


def blocks_of(con: duckdb.DuckDBPyConnection, head: PlanHead) -> Blocks:
    """The state of the opt-outs of the plan's night; the suppression lane itself waits for nothing."""
    if head.lane == "suppression":
        return Blocks(True, frozenset(), frozenset())
    planned = con.execute(_PLANNED, {"night_id": head.night_id}).fetchone()
    stuck = con.execute(_STUCK, {"night_id": head.night_id}).fetchall()
    return Blocks(
        bool(planned and planned[0]),
        frozenset(system for system, _, is_one_row in stuck if not is_one_row),
        frozenset((system, vendor_id) for system, vendor_id, is_one_row in stuck if is_one_row),
    )
