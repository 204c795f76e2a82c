"""Past days of orders, read again: a partition a day of the shops, in any order, and never a push.

A range of days is one run and one read (`BackfillPolicy.single_run`), from the command line or the UI alike. A day is
the estate's: it begins at its midnight, and only days that are over can be read.
"""

import warnings
from datetime import UTC

import dagster as dg

from resources.channels import Settings, estate_timezone
from resources.workplace import Workplace


def days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """The days that can be read again."""
    return dg.DailyPartitionsDefinition(
        start_date=settings.orders_from.isoformat(), timezone=estate_timezone(settings)
    )


def read_days(
    context: dg.AssetExecutionContext, place: dg.ResourceParam[Workplace]
) -> dg.MaterializeResult[None]:
    """Read the orders that changed within the partitions' days."""
    from pipelines.extract import extract_days  # dlt takes over a second to import

    window = context.partition_time_window
    verdicts = extract_days(
        place.con, place.sessions, entity="orders", start=window.start.astimezone(UTC),
        end=window.end.astimezone(UTC), clock=place.clock, folder=place.scratch, run=place.run,
    )
    rows = {f"{v.system}.{v.endpoint}": v.row_count for v in verdicts}
    return dg.MaterializeResult(
        metadata={"rows": sum(rows.values()), **rows, "days": len(context.partition_keys)}
    )


with warnings.catch_warnings():
    # Without the policy a range of days is a run a day. Dagster calls the parameter "beta" on every load.
    warnings.simplefilter("ignore", dg.BetaWarning)
    backfills = dg.asset(
        key=["reads", "backfills"],
        group_name="extract",
        kinds={"duckdb"},
        partitions_def=days(Settings.read()),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="Orders changed on past days, read again into the raw tables. A range of days is read at once.",
    )(read_days)
