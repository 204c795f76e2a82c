"""What people have said is taken in, and what is armed of a plan is approved: the same for nights and stored plans.

What the planner said may go and nothing arms stays as it is; the run remembers how much, and says what to do. Writes to
no system.
"""

import logging

from pipelines.approve import approve_by_person, approve_by_policy, is_approved, unarmed
from pipelines.arming.armings import believed_short
from pipelines.ledger.inbox import import_answers
from pipelines.ledger.plans import read_plan
from pipelines.ledger.unsigned import void_unsigned
from pipelines.push import NOT_COVERED
from resources.tonight import Tonight, Unarmed


def take_answers(night: Tonight, say: logging.Logger) -> None:
    """Take in what lies in the inbox; what is not taken is told with its reason, and kept."""
    place = night.place
    taken = import_answers(place.con, place.settings.inbox, approvers=place.approvers, clock=place.clock)
    for name, reason in taken.refused:
        say.warning(f"answer {name} was not taken: {reason}")
    for key, reason in void_unsigned(place.con, place.approvers, clock=place.clock):
        say.warning(f"the answer to {key[:12]} counts no more: {reason}")


def believe_short(night: Tonight, say: logging.Logger) -> frozenset[str]:
    """The endpoints whose short census this run believes: those that it was asked for and that an arming names."""
    place, asked = night.place, frozenset(night.accept_short)
    found = believed_short(
        place.con, place.approvers, asked, policy_hash=place.policy_hash, now=place.clock.now()
    )
    for endpoint in sorted(asked - found):
        say.warning(
            f"accept_short {endpoint}: no arming names it, so that a short census of it is not believed; `trueup arm` "
            f"with --scope short={endpoint}, for a day"
        )
    return found


def approve_armed(night: Tonight, plan_id: str, say: logging.Logger) -> tuple[int, int]:
    """Approve what is armed of one plan: (by policy, by persons). An opt-out waits for nobody's answer."""
    con, clock, armed = night.place.con, night.place.clock, night.armed(plan_id)
    by_policy = approve_by_policy(con, plan_id, armed=armed, clock=clock, holds=night.place.policy.push.plan_age)
    by_person, lane = 0, read_plan(con, plan_id).lane
    if lane == "main":
        by_person = approve_by_person(con, plan_id, armed=armed, clock=clock)
    night.unarmed.pop(plan_id, None)
    rows = unarmed(con, plan_id, clock=clock)
    if lane == "main" and armed.only_opt_outs:
        night.barred = rows
        say.warning(f"{rows} rows of this plan may go by policy and do not: {armed.only_opt_outs}")
    elif rows:
        reason = armed.fault or f"{NOT_COVERED}; `trueup status` lists what is armed"
        night.unarmed[plan_id] = Unarmed(rows, reason, is_all=not is_approved(con, plan_id))
        say.warning(night.unarmed[plan_id].words)
    return by_policy, by_person
