"""Stage 1 in Dagster: begin the night, take in people's answers, read all systems at once."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.ledger.inbox import import_answers
from resources.night import NightResource


@dg.multi_asset(specs=specs("extract"), name="extract")
def extract(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Read every endpoint of every system; load what was read whole."""
    from pipelines.extract import extract_all  # dlt takes over a second to import

    place, night_id = night.place, night.begin()
    answers = import_answers(place.con, place.settings.inbox)
    for name, reason in answers.refused:
        context.log.warning(f"answer {name} was not taken: {reason}")
    verdicts = extract_all(
        place.con,
        place.sessions,
        night_id=night_id,
        clock=place.clock,
        folder=place.scratch,
        force_census=night.force_census,
        accept_short=frozenset(night.accept_short),
        run=place.run,
    )
    more = {
        f"raw_{v.system}.{v.endpoint}": {
            "kind": v.kind, "is_complete": v.is_complete, "reason": v.reason, "rows_read": v.row_count,
            "pages": v.page_count, "seconds": (v.finished_at - v.started_at).total_seconds(),
        }
        for v in verdicts
    }
    yield from materialised(place.con, "extract", more)
