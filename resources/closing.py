"""How a night ends: status and summary in the ledger, its report, the back-up, the snapshot that questions read."""

from pathlib import Path

from pipelines.calls import night_calls
from pipelines.figures import parked, unread
from pipelines.night import end_dry_run
from pipelines.report.page import write_report
from resources.tonight import Tonight


def close(night: Tonight) -> Path:
    """Close the night in the ledger, then its report, the ledger's back-up and the snapshot that questions read.

    A run on a stored plan renews the report of the night that made it; a dry run that was pushed is none any more.
    """
    place, night_id = night.place, night.night_id
    counters = {channel.name: session.counters for channel, session in place.sessions}
    calls = night_calls(place.con, night_id, place.channels, counters)
    missing = unread(place.con)
    given_up = parked(place.con) if night.has_begun else {}
    summary: dict[str, object] = {
        "calls": {system: told.as_row() for system, told in calls.items()},
        "unread": [{"system": system, "entity": entity, "reason": reason} for system, entity, reason in missing],
        "stopped": night.stopped,
        **({"scope": night.scope} if night.scope else {}),
        **({"unarmed": night.unarmed_summary} if night.unarmed else {}),
        **({"parked": given_up} if given_up else {}),
        **({"too_old": {"rows": night.barred, "reason": place.too_old}} if place.too_old else {}),
    }
    is_unarmed = any(told.is_all for told in night.unarmed.values())
    status = "unarmed" if is_unarmed else "partial" if missing or night.stopped or given_up else "complete"
    status = night.of_an_old_ledger(status)
    if night.has_begun:
        night.end("planned" if night.dry_run else status, summary)
    elif not night.dry_run:
        end_dry_run(place.con, night_id, status=status)
    report = (place.means.report or write_report)(place.con, night_id, place.settings.reports)
    place.grow(f"night {night_id} ends")
    if not place.too_old:  # the back-up may be the youngest that there is
        place.means.export(place.con, place.settings.export)
    place.means.snapshot(place.con, place.settings.snapshot)
    return report
