"""Stage 7 in Dagster: opt-outs in a lane of their own, first; then what was approved, to all systems at once."""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.approve import approve_by_policy
from pipelines.errors import LeaseHeld
from pipelines.extract_log import distrust
from pipelines.figures import drift_counts, plan_counts
from pipelines.plan import build_plan
from pipelines.push import PushReport, push_plan
from pipelines.verify import verify_plan
from resources.night import NightResource

log = logging.getLogger("trueup.push")


@dg.multi_asset(specs=specs("suppress"), name="suppress")
def suppress(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Plan, approve, push and read back the opt-outs, first. Where that fails, no customer is written anywhere."""
    place, figures = night.place, {}
    try:
        figures = _lane(night)
    except LeaseHeld:
        raise
    except Exception as error:
        context.log.error(f"the opt-outs did not go out: {type(error).__name__}", exc_info=error)
        for entity in ("consents", "customers"):
            distrust(place.con, entity, f"tonight's opt-outs did not go out ({type(error).__name__})")
    yield from materialised(place.con, "suppress", {"sync.suppressions": figures})


def _lane(night: NightResource) -> dict[str, Any]:
    place = night.place
    plan_id = build_plan(place.con, lane="suppression", clock=place.clock)
    figures: dict[str, Any] = {"plan_id": plan_id, **plan_counts(place.con, "suppression")}
    figures |= drift_counts(place.con, "reconcile.consent_drift")
    if not night.dry_run:
        approve_by_policy(place.con, plan_id, clock=place.clock)
        figures |= _pushed(send(night, plan_id))
        found = place.run(verify_plan(place.con, plan_id, place.sessions_by_name, clock=place.clock))
        figures |= {f"{system}/{status}": n for system, counts in found.items() for status, n in counts.items()}
    return figures


@dg.multi_asset(specs=specs("push"), name="push")
def push(night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Send what is approved. A dry run sends nothing."""
    figures = {} if night.dry_run else _pushed(send(night, night.plan("main")))
    yield from materialised(night.place.con, "push", {"ledger.sync.outcomes": figures})


def send(night: NightResource, plan_id: str) -> PushReport:
    """Push one plan within the lease, unless the kill switch is set."""
    place = night.place
    report = place.run(
        push_plan(
            place.con, plan_id, place.sessions_by_name, clock=place.clock,
            kill_switch=place.settings.kill_switch, fence=place.lease,
        )
    )
    for system, told in report.systems.items():
        log.info("%s: %s", system, ", ".join(f"{count} {status}" for status, count in told.counts.items()))
        if told.stopped:
            log.warning("%s was stopped: %s", system, told.stopped)
    return report


def _pushed(report: PushReport) -> dict[str, Any]:
    figures: dict[str, Any] = {"is_partial": report.is_partial}
    for system, told in report.systems.items():
        figures |= {f"{system}/{status}": count for status, count in told.counts.items()}
    return figures
