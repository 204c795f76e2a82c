"""Stage 2 in Dagster: every system's records to our names, types and units; bad rows to quarantine."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.stage import create_unions, stage_system
from resources.night import NightResource


@dg.multi_asset(specs=specs("stage"), name="stage")
def stage(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Stage all systems."""
    con = night.place.con
    for channel in night.place.channels:
        counts = stage_system(con, channel.name)
        context.log.info(f"{channel.name}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    create_unions(con)
    yield from materialised(con, "stage")
