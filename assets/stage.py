"""Stage 2 in Dagster: every system's records to our names, types and units; bad rows to quarantine."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("stage"), name="stage")
def stage(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Stage all systems."""
    for system, counts in steps.stage(night.tonight, context.log).items():
        context.log.info(f"{system}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    yield from materialised(night.place.con, "stage")
