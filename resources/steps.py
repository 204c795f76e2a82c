"""What each step of a night does, in plain Python: `STEPS` in the order of a night, and `run_night` for all of them.

Dagster's assets call the same functions one by one and tell Dagster what came of it (`assets/`); tests and simulations
run whole nights without Dagster. Which failure stops what is decided here; how a step works is in `pipelines`.
Modules that take seconds to import (dlt, Splink, Great Expectations) are imported by the step that needs them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import LeaseHeld, NotDurable
from pipelines.extract_log import distrust
from pipelines.kill_switch import read_stop
from pipelines.model import ReadVerdict
from pipelines.night import plans_of
from pipelines.plan import Lane as PlanLane
from pipelines.plan import decide, seal_plan
from pipelines.push import KILLED, PushReport, push_plan
from pipelines.scope import narrow_plan, narrow_to_rollback
from pipelines.stage import create_unions, stage_system
from pipelines.stage_cursors import commit_cursors
from pipelines.verify import verify_plan
from resources.approving import approve_armed, believe_short, take_answers
from resources.catch_up import catch_up
from resources.closing import close
from resources.tonight import Tonight, of_a_night, on_disk

log = logging.getLogger("trueup.push")


@dataclass(slots=True)
class Lane:
    """What became of the opt-outs. Fields stay empty where a dry run, or a failure, ended before them."""

    plan_id: str = ""
    report: PushReport | None = None
    verified: dict[str, dict[str, int]] = field(default_factory=dict)
    """Rows by system and verification status."""


@on_disk
def extract(night: Tonight, say: logging.Logger = log) -> list[ReadVerdict]:
    """Begin the night, take in people's answers, finish what earlier nights left open, then read every system.

    What was read whole is loaded.
    """
    from pipelines.extract import extract_all

    place, night_id = night.place, night.begin()
    if place.too_old:
        say.warning(f"{place.too_old}. Until then nothing but opt-outs is written")
    if (halted := read_stop(place.settings.kill_switch)) is not None:
        say.warning(f"{halted}: this run reads and plans, and writes to no system")
    take_answers(night, say)
    catch_up(night, say)
    return extract_all(
        place.con, place.sessions, night_id=night_id, clock=place.clock, folder=place.scratch,
        force_census=night.force_census, accept_short=believe_short(night, say),
        min_share=place.policy.reads.min_share, run=place.run, load=place.means.load,
    )


@of_a_night
def stage(night: Tonight, say: logging.Logger = log) -> dict[str, dict[str, int]]:
    """Stage all systems, and move the cursors over what could be used; rows by system and table."""
    place, con = night.place, night.place.con
    found = {channel.name: stage_system(con, channel.name, channel.entities) for channel in place.channels}
    create_unions(con, place.estate.systems)
    commit_cursors(con, place.channels, night.night_id, now=place.clock.now())
    return found


@of_a_night
def consents(night: Tonight, say: logging.Logger = log) -> None:
    """Permissions, from contact points alone: needs no persons and survives their failure."""
    from pipelines.reconcile.consents import build_consents

    build_consents(night.place.con)


@of_a_night
def suppress(night: Tonight, say: logging.Logger = log) -> Lane:
    """Plan, approve, push and read back the opt-outs, first. Where that fails, no customer is written anywhere."""
    place, lane = night.place, Lane()
    try:
        lane.plan_id = _checked_plan(night, "suppression", say)
        if not night.dry_run:
            approve_armed(night, lane.plan_id, say)
            lane.report = send(night, lane.plan_id)
            lane.verified = place.run(
                verify_plan(place.con, lane.plan_id, place.sessions_by_name, clock=place.clock)
            )
    except (LeaseHeld, NotDurable):
        raise
    except Exception as error:
        _distrust_customers(night, say, error)
    return lane


def _distrust_customers(night: Tonight, say: logging.Logger, error: Exception) -> None:
    say.error(f"the opt-outs did not go out: {type(error).__name__}", exc_info=error)
    for entity in ("consents", "customers"):
        distrust(night.place.con, entity, f"tonight's opt-outs did not go out ({type(error).__name__})")


@of_a_night
def reach(night: Tonight, say: logging.Logger = log) -> Lane:
    """The same lane again, for what tonight's links add: a no reaches a person's other addresses."""
    from pipelines.reconcile.consents import reach_consents

    try:
        is_wider = reach_consents(night.place.con)
    except Exception as error:
        _distrust_customers(night, say, error)
        return Lane()
    return suppress(night, say) if is_wider else Lane()


@of_a_night
def items(night: Tonight, say: logging.Logger = log) -> None:
    """Records to items."""
    from pipelines.reconcile.items import reconcile_items

    reconcile_items(night.place.con)


@of_a_night
def persons(night: Tonight, say: logging.Logger = log) -> None:
    """Records to persons. Where that fails, no customer is corrected tonight; items, prices and stock go on."""
    from pipelines.reconcile.persons import reconcile_persons

    con = night.place.con
    try:
        reconcile_persons(con, score=night.place.means.score)
    except Exception as error:
        say.error(f"persons could not be told apart: {type(error).__name__}", exc_info=error)
        distrust(con, "customers", f"persons could not be told apart ({type(error).__name__})")


@of_a_night
def trees(night: Tonight, say: logging.Logger = log) -> None:
    """What each system holds, and what it ought to hold."""
    from pipelines.reconcile.trees import build_trees

    build_trees(night.place.con)


@of_a_night
def drift(night: Tonight, say: logging.Logger = log) -> None:
    """Every system's drift, with its class."""
    from pipelines.reconcile.drift import build_drift

    build_drift(night.place.con)


@of_a_night
def check(night: Tonight, say: logging.Logger = log) -> list[Any]:
    """Run all checks on tonight's tables; a failed one that blocks freezes what it covers, and the night goes on."""
    from pipelines.check import run_checks

    results = run_checks(night.place.con, suites=night.place.means.suites)
    for result in results:
        if not result.passed:
            say.warning(f"{result.name}: {result.failed_rows} rows; stops {result.covered or 'nothing'}")
    return results


@of_a_night
def plan(night: Tonight, say: logging.Logger = log) -> str:
    """Plan the main lane, check the draft, seal it; returns the plan's id. UnsafePlan where a fatal check fails."""
    return _checked_plan(night, "main", say)


@on_disk
def approve(night: Tonight, say: logging.Logger = log) -> tuple[int, int]:
    """Approve what the plan says may go, and what people have answered by now: (by policy, by persons).

    A run on a stored plan sends that night's opt-outs first, where they have not gone out.
    """
    if night.dry_run:
        return 0, 0
    place, plan_id = night.place, night.plan("main")
    take_answers(night, say)
    if not night.has_begun:
        for opt_outs in plans_of(place.con, night.night_id, "suppression"):
            approve_armed(night, opt_outs, say)
            send(night, opt_outs)
            place.run(verify_plan(place.con, opt_outs, place.sessions_by_name, clock=place.clock))
    return approve_armed(night, plan_id, say)


@on_disk
def push(night: Tonight, say: logging.Logger = log) -> PushReport | None:
    """Send what is approved. A dry run sends nothing."""
    return None if night.dry_run else send(night, night.plan("main"))


@on_disk
def verify(night: Tonight, say: logging.Logger = log) -> Path:
    """Read back by id what was written, move the base by what is proven, and close the night; returns its report."""
    from pipelines.agree import move_base

    place = night.place
    if not night.dry_run:
        place.run(verify_plan(place.con, night.plan("main"), place.sessions_by_name, clock=place.clock))
        move_base(place.con, clock=place.clock, by_writes_alone=not night.has_begun)
    return close(night)


STEPS: tuple[Callable[[Tonight, logging.Logger], object], ...] = (
    extract, stage, consents, suppress, items, persons, reach, trees, drift, check, plan, approve, push, verify,
)
"""A whole night, in order. Dagster's graph has the same steps under the same names (`assets.catalogue.steps`)."""


def run_night(night: Tonight, say: logging.Logger = log, *, before: Callable[[str], None] | None = None) -> str:
    """Run one whole night; returns its id. A night that breaks is marked failed, and the error goes on.

    `before` is told the name of each step just before it begins.
    """
    try:
        for step in STEPS:
            if before is not None:
                before(step.__name__)
            step(night, say)
        return night.night_id
    finally:
        night.abandon()


def _checked_plan(night: Tonight, lane: PlanLane, say: logging.Logger) -> str:
    """No plan is sealed unchecked, and only what is sealed can be approved. What failed checks cover is held in it."""
    from pipelines.check import check_draft

    con = night.place.con
    decide(con, lane)
    if lane == "main" and (dropped := _narrowed(night)):
        say.info(f"{dropped} drifted values are outside this run's scope")
    for result in check_draft(con, lane, suites=night.place.means.suites):
        if not result.passed:
            say.warning(f"{result.name}: {result.failed_rows} rows of the plan; stops {result.covered or 'nothing'}")
    return seal_plan(con, lane=lane, clock=night.place.clock, plan_age=night.place.policy.push.plan_age)


def _narrowed(night: Tonight) -> int:
    """Leave in the draft what this run was asked to correct; returns how many rows were dropped."""
    con = night.place.con
    dropped = narrow_plan(con, systems=list(night.systems), entities=list(night.entities), keys=list(night.subjects))
    return dropped + (narrow_to_rollback(con, night.rollback_of) if night.rollback_of else 0)


def send(night: Tonight, plan_id: str) -> PushReport:
    """Push one plan within the lease, unless the kill switch is set."""
    place = night.place
    place.grow(f"plan {plan_id} goes out")
    report = place.run(
        push_plan(
            place.con, plan_id, place.sessions_by_name, armed=night.armed(plan_id), clock=place.clock,
            kill_switch=place.settings.kill_switch, fence=place.lease, canary_rows=place.policy.push.canary_rows,
        )
    )
    for system, told in report.systems.items():
        log.info("%s: %s", system, ", ".join(f"{count} {status}" for status, count in told.counts.items()))
        if told.stopped:
            halted = read_stop(place.settings.kill_switch) if told.stopped == KILLED else None
            night.stopped[system] = told.stopped if halted is None else f"{told.stopped}: {halted}"
            log.warning("%s was stopped: %s", system, night.stopped[system])
    return report
