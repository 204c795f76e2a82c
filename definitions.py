"""The code location: joins assets, jobs, schedules, sensors and resources, and nothing else.

`build_defs` is a function so that tests and simulations swap the resource; Dagster loads `defs`.
"""

from collections.abc import Mapping

import dagster as dg

from assets import approve, backfill, check, extract, plan, push, reconcile, stage, verify
from assets.jobs import JOBS
from assets.schedules import SCHEDULES
from assets.sensors import SENSORS
from resources.night import NightResource, place_resource

ASSETS = [
    extract.extract, stage.stage, reconcile.consents, push.suppress, reconcile.items, reconcile.persons, push.reach,
    reconcile.trees, reconcile.drift, check.check, plan.plan, approve.approve, push.push, verify.verify,
    backfill.backfills,
]


def build_defs(overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """All definitions, with `overrides` in the place of resources of the same name."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=[check.checks],
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources={"night": NightResource(), "place": place_resource(), **(overrides or {})},
        executor=dg.in_process_executor,
    )


defs = build_defs()
