"""Stage 6 in Dagster: policy allows the boring rows under caps; people's answers allow others."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("approve"), name="approve")
def approve(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Approve what the plan says may go, and what people have answered by now. A dry run approves nothing."""
    by_policy, by_person = steps.approve(night.tonight, context.log)
    figures = {
        "plan_id": night.tonight.plan("main"), "by_policy": by_policy, "by_person": by_person,
        "is_dry_run": night.dry_run,
    }
    yield from materialised(night.place.con, "approve", {"ledger.sync.approvals": figures})
