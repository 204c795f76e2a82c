"""Stage 8 in Dagster: read back what was written, move the base, close the night, and leave its report."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.figures import verification_counts
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("verify"), name="verify")
def verify(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Prove it: every written value is read again by id; what is confirmed becomes the base."""
    report = steps.verify(night.tonight, context.log)
    con = night.place.con
    figures: dict[str, Any] = {"is_dry_run": night.dry_run}
    if not night.dry_run:
        figures |= verification_counts(con, night.tonight.plan("main"))
    facts = {"night_id": night.tonight.night_id, "report": dg.MetadataValue.path(str(report.resolve()))}
    context.log.info(f"the night's report: {report}")
    yield from materialised(
        con, "verify", {"ledger.sync.verifications": figures, "ledger.sync.nights": facts}
    )
