"""Stage 5 in Dagster: from drift to corrections, each with its disposition and reason, and what its checks found.

The checks run on the draft, inside the step: what a failed blocking one covers is held in the plan itself. A failed
fatal one stops the step, and with it approve and push: those checks, and no others, block Dagster's graph.
"""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.check import PLAN, plan_results, plan_specs
from assets.metadata import materialised
from pipelines.errors import UnsafePlan
from pipelines.figures import plan_counts
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("plan"), check_specs=plan_specs(), name="plan")
def plan(
    context: dg.AssetExecutionContext, night: NightResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Plan the main lane, and seal the plan where no fatal check fails."""
    con = night.place.con
    try:
        figures = {"plan_id": steps.plan(night.tonight, context.log), **plan_counts(con, "main")}
    except UnsafePlan:
        yield from plan_results(con)
        raise
    yield from materialised(con, "plan", {PLAN: figures})
    yield from plan_results(con)
