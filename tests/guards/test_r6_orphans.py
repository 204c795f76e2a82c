"""R6: a run whose process was killed is found, marked as failed and told, and holds up no later night."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from assets.jobs import JOBS
from assets.sensors import LOOKS_EVERY_SECONDS, fail_killed_runs, tell_failure
from definitions import build_defs
from pipelines.ledger.lease import LENGTH, acquire
from resources.clock import SystemClock
from resources.night import HOLDER, holder_name
from resources.orphans import fail_orphans
from resources.settings import Settings
from resources.whereabouts import BEGAN, HOST, PID, SPACE, Process
from tests.plan.world import VirtualClock

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 6, 15, 2, tzinfo=UTC)
HANGS = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
import dagster as dg
from definitions import build_defs
from pipelines.ledger.lease import acquire
from resources.clock import SystemClock
from resources.night import place_resource
from resources.settings import Settings

@contextmanager
def hangs(holder):
    with acquire(Settings.read().warehouse / "lease.json", holder=holder, clock=SystemClock()):
        Path(sys.argv[1]).touch()
        time.sleep(600)
        yield

with dg.DagsterInstance.get() as instance:
    job = build_defs({"place": place_resource(hangs)}).resolve_job_def("backfill_orders")
    job.execute_in_process(instance=instance, partition_key="2026-06-01", raise_on_error=False)
"""
"""A run that takes the lease and then works for a very long time."""


@pytest.fixture
def settings(bare_home: Path) -> Settings:
    return Settings.read()


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as found:
        yield found


@pytest.fixture
def gone() -> Process:
    """A process that was, and was waited for."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    here = Process.here()
    began = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19] if here.began else ""
    child.kill()
    child.wait()
    return Process(here.host, child.pid, here.space, began)


@dg.op
def works() -> None:
    """For a run that is never carried out."""


@dg.job
def some_night() -> None:
    """As a night's job, but made at once."""
    works()


def begun(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.DagsterRun:
    """A run that has started, in the process that its tags name."""
    run = instance.create_run_for_job(some_night, tags=tags)
    started = dg.DagsterEventType.PIPELINE_START.value
    instance.report_dagster_event(dg.DagsterEvent(event_type_value=started, job_name=run.job_name), run.run_id)
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_only_runs_whose_process_is_gone_are_failed(
    instance: dg.DagsterInstance, settings: Settings, gone: Process
) -> None:
    here = Process.here()
    killed, alive = begun(instance, gone.tags()), begun(instance, here.tags())
    untold, elsewhere = begun(instance, {}), begun(instance, {**gone.tags(), HOST: "another"})
    contained = begun(instance, {**gone.tags(), SPACE: "another boot pid:[1]"})
    reused = begun(instance, {**here.tags(), BEGAN: "1"}) if here.began else killed
    done = begun(instance, gone.tags())
    instance.report_run_canceled(done)
    found = fail_orphans(instance, settings, now=NOW)
    assert {run.run_id for run in found} == {killed.run_id, reused.run_id}
    assert status(instance, killed) is status(instance, reused) is dg.DagsterRunStatus.FAILURE
    assert {status(instance, run) for run in (alive, untold, elsewhere, contained)} == {dg.DagsterRunStatus.STARTED}
    assert status(instance, done) is dg.DagsterRunStatus.CANCELED
    events = [entry.dagster_event for entry in instance.all_logs(killed.run_id) if entry.dagster_event]
    words = f"process {gone.pid} on {socket.gethostname()} is gone: the run was killed and could not say so (R6)"
    assert events[-1].message == words
    assert fail_orphans(instance, settings, now=NOW) == []


@pytest.mark.skipif(not Process.here().began, reason="this system does not tell a zombie from a process")
def test_what_is_left_of_a_process_that_nobody_waited_for_is_gone() -> None:
    child, here = subprocess.Popen([sys.executable, "-c", "pass"]), Process.here()
    until = time.monotonic() + 10
    began = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    process = Process(here.host, child.pid, here.space, began)
    while not process.is_gone() and time.monotonic() < until:
        os.sched_yield()
    os.kill(child.pid, 0)  # its number is still taken
    assert process.is_gone()
    child.wait()


def test_a_run_of_another_host_is_failed_when_its_lease_has_run_out(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    far = {HOST: "another", PID: "7"}
    runs = [begun(instance, {**far, HOLDER: f"nightly run {n}"}) for n in range(2)]
    clock = VirtualClock(NOW)
    lease = acquire(settings.warehouse / "lease.json", holder="nightly run 1", clock=clock)
    assert fail_orphans(instance, settings, now=NOW + LENGTH - timedelta(seconds=1)) == []
    found = fail_orphans(instance, settings, now=NOW + LENGTH)
    assert [run.run_id for run in found] == [runs[1].run_id]
    again = begun(instance, {**far, HOLDER: "nightly run 1"})
    lease.release()
    assert fail_orphans(instance, settings, now=NOW + LENGTH) == [], "it is ending by itself"
    assert status(instance, again) is dg.DagsterRunStatus.STARTED


@pytest.mark.process
def test_a_run_killed_at_work_is_found_by_the_sensor_and_the_next_one_may_begin(
    instance: dg.DagsterInstance, settings: Settings, tmp_path: Path
) -> None:
    at_work = tmp_path / "at work"
    child = subprocess.Popen(
        [sys.executable, "-c", HANGS, str(at_work)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        until = time.monotonic() + 120
        while not at_work.exists() and child.poll() is None and time.monotonic() < until:
            os.sched_yield()
        assert at_work.exists()
        fail_killed_runs(dg.build_sensor_context(instance=instance))
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.STARTED and Process.of(run.tags) is not None
        assert run.tags[HOLDER] == holder_name("backfill", run.run_id) and run.tags["trueup/writes"] == "true"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert status(instance, run) is dg.DagsterRunStatus.STARTED, "nobody has said that it failed"
    said = fail_killed_runs(dg.build_sensor_context(instance=instance))
    assert isinstance(said, dg.SkipReason) and said.skip_message == "1 runs were marked as failed"
    assert status(instance, run) is dg.DagsterRunStatus.FAILURE
    writing = dg.RunsFilter(statuses=NOT_FINISHED_STATUSES, tags={"trueup/writes": "true"})
    assert instance.get_runs_count(writing) == 0, "the limit of one writing run has room again"
    with acquire(settings.warehouse / "lease.json", holder="the next night", clock=SystemClock()):
        pass
    assert run.run_id in tell_failure(instance, run, settings.home)


def test_it_is_looked_for_often_enough_and_every_job_has_an_end() -> None:
    (sensor,) = [sensor for sensor in build_defs().sensors or () if sensor is fail_killed_runs]
    assert isinstance(sensor, dg.SensorDefinition) and sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == LOOKS_EVERY_SECONDS <= 30, "within a minute, the daemon's round in it"
    assert {job.name for job in JOBS if int(job.tags.get("dagster/max_runtime", 0)) <= 0} == set()
