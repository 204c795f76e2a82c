"""Who notices that a run was killed, and who is told when one fails: a line in `failures.log` under TRUEUP_HOME.

Sends nothing anywhere. `tell_failures` hears every failed run of the instance, from wherever it was launched, once the
daemon is up. `trueup` needs no daemon: it looks for killed runs before its own, and writes the same lines; no run is
told twice.
"""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from resources.clock import SystemClock
from resources.orphans import fail_orphans
from resources.settings import Settings

LOOKS_EVERY_SECONDS = 30
"""A killed run is found within twice that: the daemon's own round comes on top."""


def tell_failure(instance: dg.DagsterInstance, run: dg.DagsterRun, home: Path) -> str:
    """One line per failed run: when, which job, which run. No message of an error: it may hold a value."""
    ended = instance.get_run_stats(run.run_id).end_time
    at = datetime.fromtimestamp(ended, UTC).isoformat(timespec="seconds") if ended else "at an unknown time"
    line = f"{at} {run.job_name} run {run.run_id} failed"
    path = home / "failures.log"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = path.read_text(encoding="utf-8") if path.exists() else ""
    if f" run {run.run_id} " not in told:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    return line


@dg.run_failure_sensor(
    name="tell_failures",
    default_status=dg.DefaultSensorStatus.RUNNING,
    monitor_all_code_locations=True,  # a run that the command line launched names no code location
    description="Writes each failed run to failures.log; put your own alarm on that file.",
)
def tell_failures(context: dg.RunFailureSensorContext) -> None:
    """Tell of the run."""
    context.log.info(tell_failure(context.instance, context.dagster_run, Settings.read().home))


@dg.sensor(
    name="fail_killed_runs",
    minimum_interval_seconds=LOOKS_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs as failed whose process was killed, so that they do not hold up the next night.",
)
def fail_killed_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Look for them; launches nothing."""
    found = fail_orphans(context.instance, Settings.read(), now=SystemClock().now())
    for run in found:
        context.log.warning(f"{run.job_name} run {run.run_id} was killed: marked as failed")
    return dg.SkipReason(f"{len(found)} runs were marked as failed" if found else "no run has lost its process")


SENSORS = [tell_failures, fail_killed_runs]
