"""Stage 5 in Dagster: from drift to corrections, each with its disposition and reason."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.figures import plan_counts
from pipelines.plan import build_plan
from resources.night import NightResource


@dg.multi_asset(specs=specs("plan"), name="plan")
def plan(night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Plan the main lane."""
    con = night.place.con
    plan_id = build_plan(con, lane="main", clock=night.place.clock)
    figures = {"plan_id": plan_id, **plan_counts(con, "main")}
    yield from materialised(con, "plan", {"ledger.sync.corrections": figures})
