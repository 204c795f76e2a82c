"""Stage 7 in Dagster: opt-outs in a lane of their own, first; then what was approved, to all systems at once."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.figures import drift_counts, plan_counts
from pipelines.push import PushReport
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("suppress"), name="suppress")
def suppress(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Plan, approve, push and read back the opt-outs, first. Where that fails, no customer is written anywhere."""
    con, lane = night.place.con, steps.suppress(night.tonight, context.log)
    figures: dict[str, Any] = {}
    if lane.plan_id:
        figures = {"plan_id": lane.plan_id, **plan_counts(con, "suppression")}
        figures |= drift_counts(con, "reconcile.consent_drift") | _pushed(lane.report)
        figures |= {f"{system}/{status}": n for system, counts in lane.verified.items() for status, n in counts.items()}
    yield from materialised(con, "suppress", {"sync.suppressions": figures})


@dg.multi_asset(specs=specs("push"), name="push")
def push(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Send what is approved. A dry run sends nothing."""
    figures = _pushed(steps.push(night.tonight, context.log))
    yield from materialised(night.place.con, "push", {"ledger.sync.outcomes": figures})


def _pushed(report: PushReport | None) -> dict[str, Any]:
    if report is None:
        return {}
    figures: dict[str, Any] = {"is_partial": report.is_partial}
    for system, told in report.systems.items():
        figures |= {f"{system}/{status}": count for status, count in told.counts.items()}
    return figures
