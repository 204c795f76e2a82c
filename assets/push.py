"""Stage 7 in Dagster: opt-outs in a lane of their own, first; then what was approved, to all systems at once."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.catalogue import OPT_OUTS, REACHED, specs
from assets.metadata import materialised
from pipelines.figures import drift_counts, plan_counts
from pipelines.push import PushReport
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("suppress"), name="suppress")
def suppress(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Plan, approve, push and read back the opt-outs, first. Where that fails, no customer is written anywhere."""
    figures = _lane(night, steps.suppress(night.tonight, context.log))
    yield from materialised(night.place.con, "suppress", {OPT_OUTS: figures})


@dg.multi_asset(specs=specs("reach"), name="reach")
def reach(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """The same for what tonight's links add: a no reaches other addresses of a person recognised tonight."""
    figures = _lane(night, steps.reach(night.tonight, context.log))
    yield from materialised(night.place.con, "reach", {REACHED: figures})


@dg.multi_asset(specs=specs("push"), name="push")
def push(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Send what is approved. A dry run sends nothing."""
    figures = _pushed(steps.push(night.tonight, context.log))
    yield from materialised(night.place.con, "push", {"ledger.sync.outcomes": figures})


def _lane(night: NightResource, lane: steps.Lane) -> dict[str, Any]:
    """What became of one round of opt-outs; empty where there was none."""
    if not lane.plan_id:
        return {}
    figures = {"plan_id": lane.plan_id, **plan_counts(night.place.con, "suppression")}
    figures |= drift_counts(night.place.con, "reconcile.consent_drift") | _pushed(lane.report)
    return figures | {
        f"{system}/{status}": n for system, counts in lane.verified.items() for status, n in counts.items()
    }


def _pushed(report: PushReport | None) -> dict[str, Any]:
    if report is None:
        return {}
    figures: dict[str, Any] = {"is_partial": report.is_partial}
    for system, told in report.systems.items():
        figures |= {f"{system}/{status}": count for status, count in told.counts.items()}
    return figures
