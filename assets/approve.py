"""Stage 6 in Dagster: policy allows the boring rows under caps; people's answers allow others."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.figures import approval_counts
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("approve"), name="approve")
def approve(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Approve what the plan says may go, and what people have answered by now. A dry run approves nothing."""
    tonight, con = night.tonight, night.place.con
    by_policy, by_person = steps.approve(tonight, context.log)
    plan_id = tonight.plan("main")
    figures: dict[str, Any] = {
        "plan_id": plan_id, "plan_of_night": tonight.night_id, "by_policy": by_policy, "by_person": by_person,
        **approval_counts(con, plan_id), "is_dry_run": night.dry_run,
        "unarmed": sum(told.rows for told in tonight.unarmed.values()),
    }
    if plan_id in tonight.unarmed:
        figures["warning"] = tonight.unarmed[plan_id].words
    elif not (tonight.has_begun or night.dry_run or by_policy or by_person):
        figures["warning"] = nothing_approved(plan_id, tonight.night_id, figures)
        context.log.warning(figures["warning"])
    yield from materialised(con, "approve", {"ledger.sync.approvals": figures})


def nothing_approved(plan_id: str, night_id: str, figures: Mapping[str, Any]) -> str:
    """Why a run that was launched to approve approved nothing."""
    return (
        f"0 rows approved: of the {figures['rows']} rows of plan {plan_id} (night {night_id}), {figures['approved']} "
        f"were approved before and {figures['waiting']} wait for a person's answer"
    )
