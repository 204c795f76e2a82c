"""Stage 5 in Dagster: from drift to corrections, each with its disposition and reason."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.figures import plan_counts
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("plan"), name="plan")
def plan(night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Plan the main lane."""
    con = night.place.con
    figures = {"plan_id": steps.plan(night.tonight), **plan_counts(con, "main")}
    yield from materialised(con, "plan", {"ledger.sync.corrections": figures})
