"""Runs whose process is gone (R6): Dagster's usual launcher never looks, and such a run would block all later nights.

Killed, out of memory, a machine that went down: nobody is left to say that the run has failed, it stays "started", and
with one writing run at a time the next night waits behind it. Here is who says it in its place. A process of this host
is seen to be gone at once; one of another host or container, once its writing lease has run out.
"""

from datetime import datetime

import dagster as dg

from pipelines.ledger.lease import is_overdue
from resources.night import HOLDER
from resources.settings import Settings
from resources.whereabouts import Process

_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def fail_orphans(instance: dg.DagsterInstance, settings: Settings, *, now: datetime) -> list[dg.DagsterRun]:
    """Mark the runs as failed whose process is gone; returns them. `now`: the machine's time, by which leases go.

    A run that has not said where it works is left alone: it has opened nothing yet, and Dagster's time-outs end it.
    """
    found = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
        process = Process.of(run.tags)
        if process is None:
            continue
        if process.is_gone():
            words = f"process {process.pid} on {process.host} is gone"
        elif is_overdue(settings.warehouse / "lease.json", run.tags.get(HOLDER, ""), now=now):
            words = f"nothing has been heard of process {process.pid} on {process.host} for as long as its lease is"
        else:
            continue
        last = instance.get_run_by_id(run.run_id)
        if last is not None and not last.is_finished:  # it may have ended by itself while we looked
            instance.report_run_failed(last, f"{words}: the run was killed and could not say so (R6)")
            found.append(last)
    return found
