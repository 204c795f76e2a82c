"""When a night starts by itself: at two in the morning, in the estate's time zone."""

import dagster as dg

from assets.jobs import NIGHTLY
from resources.channels import Settings, estate_timezone

SCHEDULES = [
    dg.ScheduleDefinition(
        name="every_night",
        job=NIGHTLY,
        cron_schedule="0 2 * * *",
        execution_timezone=estate_timezone(Settings.read()),
        description="One whole night. Switched on in the UI, once the estate's first night has been adopted.",
    )
]
