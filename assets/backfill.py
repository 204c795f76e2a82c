"""Past days of orders, read again: one partition a day, in any order, and never a push."""

from datetime import UTC

import dagster as dg

from resources.night import NightResource

DAYS = dg.DailyPartitionsDefinition(start_date="2025-01-01", end_offset=1)


@dg.asset(
    key=["reads", "backfills"],
    group_name="extract",
    kinds={"duckdb"},
    partitions_def=DAYS,
    description="Orders changed on past days, read again into the raw tables.",
)
def backfills(context: dg.AssetExecutionContext, night: NightResource) -> dg.MaterializeResult[None]:
    """Read the orders that changed in the partitions' days."""
    from pipelines.extract import extract_days  # dlt takes over a second to import

    place, window = night.place, context.partition_time_window
    verdicts = extract_days(
        place.con, place.sessions, entity="orders", start=window.start.astimezone(UTC),
        end=window.end.astimezone(UTC), clock=place.clock, folder=place.scratch, run=place.run,
    )
    rows = {f"{v.system}.{v.endpoint}": v.row_count for v in verdicts}
    return dg.MaterializeResult(metadata={"rows": sum(rows.values()), **rows})
