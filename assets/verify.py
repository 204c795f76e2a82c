"""Stage 8 in Dagster: read back what was written, move the base, close the night, and leave its report."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.calls import night_calls
from pipelines.figures import unread, verification_counts
from pipelines.ledger.export import export_ledger, swap_snapshot
from pipelines.report import write_report
from pipelines.verify import verify_plan
from resources.night import NightResource


@dg.multi_asset(specs=specs("verify"), name="verify")
def verify(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Prove it: every written value is read again by id; what is confirmed becomes the base."""
    from pipelines.agree import move_base

    place, night_id = night.place, night.night_id
    figures: dict[str, Any] = {"is_dry_run": night.dry_run}
    if not night.dry_run:
        plan_id = night.plan("main")
        place.run(verify_plan(place.con, plan_id, place.sessions_by_name, clock=place.clock))
        figures |= verification_counts(place.con, plan_id)
        move_base(place.con, clock=place.clock)
    report = close(night)
    facts = {"night_id": night_id, "report": dg.MetadataValue.path(str(report.resolve()))}
    context.log.info(f"the night's report: {report}")
    yield from materialised(
        place.con, "verify", {"ledger.sync.verifications": figures, "ledger.sync.nights": facts}
    )


def close(night: NightResource) -> Path:
    """Close the night in the ledger, then its report, the ledger's back-up and the snapshot that questions read."""
    place, night_id = night.place, night.night_id
    counters = {channel.name: session.counters for channel, session in place.sessions}
    calls = night_calls(place.con, night_id, place.channels, counters)
    missing = unread(place.con)
    summary = {
        "calls": {system: told.as_row() for system, told in calls.items()},
        "unread": [{"system": system, "entity": entity, "reason": reason} for system, entity, reason in missing],
    }
    night.end("planned" if night.dry_run else "partial" if missing else "complete", summary)
    report = write_report(place.con, night_id, place.settings.reports)
    export_ledger(place.con, place.settings.export)
    swap_snapshot(place.con, place.settings.snapshot)
    return report
