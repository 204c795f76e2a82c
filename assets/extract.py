"""Stage 1 in Dagster: begin the night, take in people's answers, read all systems at once."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("extract"), name="extract")
def extract(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Read every endpoint of every system; load what was read whole."""
    verdicts = steps.extract(night.tonight, context.log)
    more = {
        f"raw_{v.system}.{v.endpoint}": {
            "kind": v.kind, "is_complete": v.is_complete, "reason": v.reason, "rows_read": v.row_count,
            "pages": v.page_count, "seconds": (v.finished_at - v.started_at).total_seconds(),
        }
        for v in verdicts
    }
    yield from materialised(night.place.con, "extract", more)
