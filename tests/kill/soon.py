"""The code location with one schedule more: the nightly job, every minute. For a daemon that has to be seen at work."""

import dagster as dg

from assets.jobs import NIGHTLY
from definitions import build_defs

defs = dg.Definitions.merge(build_defs(), dg.Definitions(schedules=[
    dg.ScheduleDefinition(
        "soon", job=NIGHTLY, cron_schedule="* * * * *", default_status=dg.DefaultScheduleStatus.RUNNING
    )
]))
