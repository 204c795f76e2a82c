"""Stage 7 in Dagster: opt-outs in a lane of their own, first; then what was approved, to all systems at once."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.catalogue import OPT_OUTS, REACHED, specs
from assets.metadata import materialised
from pipelines.figures import CONSENT_DRIFT, by_status, drift_counts, lane_systems, plan_counts
from pipelines.model import OutcomeStatus, VerificationStatus
from pipelines.push import PushReport
from pipelines.suppressions import show_suppressions
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("suppress"), name="suppress")
def suppress(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Plan, approve, push and read back the opt-outs, first. Where that fails, no customer is written anywhere."""
    figures = _lane(night, steps.suppress(night.tonight, context.log))
    show_suppressions(night.place.con, OPT_OUTS)
    yield from materialised(night.place.con, "suppress", {OPT_OUTS: figures})


@dg.multi_asset(specs=specs("reach"), name="reach")
def reach(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """The same for what tonight's links add: a no reaches other addresses of a person recognised tonight."""
    figures = _lane(night, steps.reach(night.tonight, context.log))
    show_suppressions(night.place.con, REACHED)
    yield from materialised(night.place.con, "reach", {REACHED: figures})


@dg.multi_asset(specs=specs("push"), name="push")
def push(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Send what is approved. A dry run sends nothing."""
    figures = _pushed(night, "main", steps.push(night.tonight, context.log))
    yield from materialised(night.place.con, "push", {"ledger.sync.outcomes": figures})


def _lane(night: NightResource, lane: steps.Lane) -> dict[str, Any]:
    """What became of one round of opt-outs; all 0 where there was none."""
    con = night.place.con
    figures: dict[str, Any] = dict.fromkeys(plan_counts(con, "suppression"), 0)
    if lane.plan_id:
        figures = {"plan_id": lane.plan_id, **plan_counts(con, "suppression")}
    figures |= drift_counts(con, CONSENT_DRIFT) | _pushed(night, "suppression", lane.report)
    return figures | by_status(lane_systems(con, "suppression"), VerificationStatus, lane.verified)


def _pushed(night: NightResource, lane: str, report: PushReport | None) -> dict[str, Any]:
    """Writes by system and outcome; 0 for all that did not come."""
    told = {} if report is None else {system: part.counts for system, part in report.systems.items()}
    counts = by_status(lane_systems(night.place.con, lane), OutcomeStatus, told)
    return {"is_partial": report is not None and report.is_partial, **counts}
