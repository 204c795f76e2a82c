"""Every failed run is told in failures.log, from wherever it was launched, and told once."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from assets.sensors import tell_failures
from definitions import build_defs

ROOT = Path(__file__).parents[2]
LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 (?P<job>\S+) run (?P<run>[0-9a-f-]{36}) failed"


@pytest.fixture
def home(bare_home: Path) -> Path:
    """Every run of a night fails here for want of an estate."""
    return bare_home


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as found:
        yield found


def listened(instance: dg.DagsterInstance) -> None:
    """What the daemon does: let the sensor hear what has happened since the beginning."""
    context = dg.build_sensor_context(
        instance=instance, repository_def=build_defs().get_repository_def(), cursor='{"record_id": 0, '
        '"update_timestamp": null, "record_timestamp": null, "__class__": "RunStatusSensorCursor"}',
    )
    tell_failures.evaluate_tick(context)


def lines(home: Path) -> list[re.Match[str]]:
    found = [re.fullmatch(LINE, line) for line in (home / "failures.log").read_text().splitlines()]
    assert all(found), "time in ISO form, job, run"
    return [match for match in found if match]


def test_a_run_from_the_ui_is_told(instance: dg.DagsterInstance, home: Path) -> None:
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="definitions"), location_name="trueup")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "nightly")
    run = instance.create_run_for_job(build_defs().resolve_job_def("nightly"), remote_job_origin=origin)
    instance.report_run_failed(run)
    listened(instance)
    assert [(line["job"], line["run"]) for line in lines(home)] == [("nightly", run.run_id)]


def test_a_run_without_a_code_location_is_told_once(instance: dg.DagsterInstance, home: Path) -> None:
    result = build_defs().resolve_job_def("sync_now").execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    for _ in range(2):
        listened(instance)
    assert [(line["job"], line["run"]) for line in lines(home)] == [("sync_now", result.run_id)]


@pytest.mark.process
def test_a_run_that_dg_launched_says_why_in_a_sentence_and_is_told(home: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dg")), "launch", "--job", "verify_plan"], cwd=ROOT, check=False,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode != 0
    words = " ".join((done.stdout + done.stderr).split())
    assert "TRUEUP_ESTATE is not set and" in words and "run `trueup sync` once" in words
    with dg.DagsterInstance.get() as instance:
        listened(instance)
    assert [line["job"] for line in lines(home)] == ["verify_plan"]


@pytest.mark.process
def test_a_run_of_the_command_line_is_told_without_a_daemon(home: Path) -> None:
    estate = home / "estate.toml"
    estate.write_text(
        '[estate]\nname = "x"\ntimezone = "Europe/Paris"\n[systems.square]\nbase_url = "http://127.0.0.1:9"\n'
        'shop_id = "1"\n'
    )
    warehouse = home / "warehouse"  # settings are told before anything is launched; what lies in a file is not
    warehouse.mkdir(mode=0o700)
    (warehouse / "ledger.duckdb").write_bytes(b"not a database")
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "adopt"], cwd=ROOT, check=False, capture_output=True, text=True,
        env={
            **os.environ, "TRUEUP_ESTATE": str(estate), "TRUEUP_CONTACT_KEY": "k", "TRUEUP_SQUARE_TOKEN": "t",
        },
    )
    assert done.returncode != 0
    assert [line["job"] for line in lines(home)] == ["adopt"]
    with dg.DagsterInstance.get() as instance:
        listened(instance)
    assert len(lines(home)) == 1
