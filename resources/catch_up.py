"""The first thing a night does: find out what became of all that earlier nights wrote and did not prove.

A night can end anywhere: killed between a write and its answer, or before it was read back; a system can be away just
when it should be asked; a stored plan can be pushed on its own. What is planned tonight rests on the answers, so they
come before anything is read. Writes to no system.
"""

import logging

from pipelines.night import unproved_plans
from pipelines.push import settle_unknown
from pipelines.verify import verify_plan
from resources.tonight import Tonight


def catch_up(night: Tonight, say: logging.Logger) -> None:
    """Read back writes of unknown end, then what was written and not proved; the base follows what is confirmed.

    A system that cannot be asked keeps what is open.
    """
    from pipelines.agree import move_base
    from pipelines.reconcile.drift import create_comparisons

    place, con = night.place, night.place.con
    if ends := place.run(settle_unknown(con, place.sessions_by_name, clock=place.clock)):
        say.info(f"writes of unknown end: {_told(ends)}")
    for plan_id in unproved_plans(con, clock=place.clock):
        # A value that is still the old one a night later will not change within a minute.
        proofs = place.run(verify_plan(con, plan_id, place.sessions_by_name, clock=place.clock, waits=()))
        for system, counts in proofs.items():
            say.info(f"{system}, of {plan_id}: {_told(counts)}")
    create_comparisons(con)
    move_base(con, clock=place.clock, by_writes_alone=True)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in counts.items())
