"""Who is told when a run fails: a line in `failures.log` under TRUEUP_HOME. Sends nothing anywhere."""

import dagster as dg

from resources.settings import Settings


@dg.run_failure_sensor(
    name="tell_failures",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Writes each failed run to failures.log; put your own alarm on that file.",
)
def tell_failures(context: dg.RunFailureSensorContext) -> None:
    """One line per failed run: when, which job, which run. No message of an error: it may hold a value."""
    run = context.dagster_run
    stats = context.instance.get_run_stats(run.run_id)
    line = f"{stats.end_time or 0:.0f} {run.job_name} run {run.run_id} failed"
    path = Settings.read().home / "failures.log"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    context.log.info(line)


SENSORS = [tell_failures]
