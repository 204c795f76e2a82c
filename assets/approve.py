"""Stage 6 in Dagster: policy allows the boring rows under caps; people's answers allow others."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.approve import approve_by_person, approve_by_policy
from pipelines.ledger.inbox import import_answers
from resources.night import NightResource


@dg.multi_asset(specs=specs("approve"), name="approve")
def approve(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Approve what the plan says may go, and what people have answered by now. A dry run approves nothing."""
    place, plan_id = night.place, night.plan("main")
    by_policy = by_person = 0
    if not night.dry_run:
        taken = import_answers(place.con, place.settings.inbox)
        for name, reason in taken.refused:
            context.log.warning(f"answer {name} was not taken: {reason}")
        by_policy = approve_by_policy(place.con, plan_id, clock=place.clock)
        by_person = approve_by_person(place.con, plan_id, clock=place.clock)
    figures = {"plan_id": plan_id, "by_policy": by_policy, "by_person": by_person, "is_dry_run": night.dry_run}
    yield from materialised(place.con, "approve", {"ledger.sync.approvals": figures})
