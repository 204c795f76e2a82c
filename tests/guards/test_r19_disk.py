"""R19: what could not be written, or is held by another, is told by its name, whatever else fails because of it."""

import errno
import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace as Names
from typing import Any

import duckdb
import pytest

from cli import night as commands
from cli.leaving import leave
from cli.runs import _told
from pipelines.duck import connect
from pipelines.errors import LeaseHeld, NotDurable
from pipelines.ledger.generation import grow
from pipelines.ledger.lease import acquire
from resources import steps
from resources.clock import SystemClock
from resources.tonight import Tonight

ROOT = Path(__file__).parents[2]
FULL = 'IO Error: Could not write file "{}": No space left on device'


class FullDisk:
    """A connection that can write nothing."""

    def execute(self, *_: object) -> Any:
        raise duckdb.IOException(FULL.format("ledger.duckdb.wal"))


def test_a_night_that_cannot_be_marked_as_failed_hides_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(night: Tonight, say: logging.Logger) -> None:
        raise NotDurable("ledger.duckdb.wal cannot be written")

    monkeypatch.setattr(steps, "STEPS", (breaks,))
    night = Tonight(Names(con=FullDisk(), clock=SystemClock()))  # type: ignore[arg-type]
    night._open_night = night._begun = "2026-06-15.1"
    with pytest.raises(NotDurable), caplog.at_level(logging.WARNING, "trueup"):
        steps.run_night(night)
    assert "2026-06-15.1 could not be marked as failed" in caplog.text


KEEPS_CUSTOMERS_BACK = ("suppress", "reach", "persons")
"""Steps in which a failure does that, and goes on: the next step tells."""


@pytest.mark.parametrize(
    "step", [step for step in steps.STEPS if step.__name__ not in KEEPS_CUSTOMERS_BACK], ids=lambda step: step.__name__
)
def test_every_step_tells_of_the_file(step: Any) -> None:
    class Place:
        def __getattr__(self, name: str) -> Any:
            raise duckdb.IOException(FULL.format("work.duckdb.wal"))

    night = Tonight(Place(), plan_id="p")  # type: ignore[arg-type]
    night._begun = "2026-06-15.1"
    with pytest.raises(NotDurable, match=r"^work.duckdb.wal cannot be written: No space left on device; mend it"):
        step(night, logging.getLogger("a test"))


def test_opt_outs_that_are_not_on_record_end_the_night(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> str:
        raise NotDurable("ledger.duckdb.wal cannot be written")

    monkeypatch.setattr(steps, "_checked_plan", breaks)
    night = Tonight(Names(con=FullDisk()))  # type: ignore[arg-type]
    night._begun = "2026-06-15.1"
    with pytest.raises(NotDurable):
        steps.suppress(night)


@pytest.mark.parametrize(("chain", "told"), [
    (["DagsterExecutionStepExecutionError", "NotDurable", "TransactionException"], "NotDurable"),
    (["NightNotOpened", "LeaseHeld", "IOException"], "LeaseHeld"),
    (["DagsterExecutionStepExecutionError", "KeyError"], "KeyError"),
])
def test_the_command_line_tells_what_was_made_for_people(chain: list[str], told: str) -> None:
    error = None
    for name in reversed(chain):
        error = Names(cls_name=name, cause=error)
    assert _told(error).cls_name == told


def test_a_plan_that_does_not_fit_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def full(*_: object, **__: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    def copy(_: object) -> Any:
        con = connect()
        con.execute(
            "ATTACH ':memory:' AS ledger; CREATE SCHEMA ledger.sync; CREATE TABLE ledger.sync.plans AS "
            "SELECT 'n' AS night_id, 'f' AS fingerprint, 'main' AS lane, 'p' AS plan_id, 1 AS created_at"
        )
        return con

    monkeypatch.setattr(commands, "copy_of", copy)
    monkeypatch.setattr("pipelines.planfile.write_plan_file", full)
    with pytest.raises(SystemExit) as end:
        leave(lambda: bool(commands.export_plan(Names(), tmp_path / "plan.jsonl")))  # type: ignore[arg-type]
    assert end.value.code == 2
    assert f"{tmp_path / 'plan.jsonl'} cannot be written: No space left on device" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not tell a zombie from a process")
def test_the_lease_of_a_process_that_nobody_waited_for_is_free(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipelines.ledger.lease import acquire\n"
        "from resources.clock import SystemClock\n"
        "acquire(Path(sys.argv[1]), holder='killed', clock=SystemClock())\n"
        "print('held', flush=True)\nsys.stdin.read()\n"
    )
    path = tmp_path / "lease.json"
    child = subprocess.Popen(
        [sys.executable, "-c", code, path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None and child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(LeaseHeld, match="killed"):
        acquire(path, holder="next", clock=SystemClock())
    child.kill()
    child.stdout.read()  # ends when the process has
    while Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        pass
    try:
        assert acquire(path, holder="next", clock=SystemClock()).token == 2
    finally:
        child.communicate()


def test_a_lease_that_cannot_be_given_back_hides_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NotDurable), acquire(tmp_path / "lease.json", holder="a run", clock=SystemClock()):
        monkeypatch.setattr("pipelines.ledger.lease._write", full)
        raise NotDurable("ledger.duckdb.wal cannot be written")


def test_the_file_of_the_generation_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    class Full:
        def __getattr__(self, name: str) -> Any:
            raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "generation.json"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(NotDurable) as told:
        patch.setattr("pipelines.ledger.generation.os", Full())
        grow(con, path, reason="a test", clock=SystemClock())
    assert str(told.value) == f"{path} cannot be written: No space left on device; mend it and run again"
