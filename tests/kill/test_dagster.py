"""R4, R5, R6 through Dagster: `trueup sync` killed in its push, several at once, and a run that the daemon launched.

Nights are whole here: dlt, Splink, Great Expectations, the report.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

import dagster as dg
import pytest

from cli.home import dagster_home
from cli.night import DONE, HELD
from resources.settings import Settings
from resources.whereabouts import PID
from tests.kill import judge
from tests.kill.conftest import FOUND, KILLED
from tests.kill.shop import Shop

pytestmark = [pytest.mark.kill, pytest.mark.process, pytest.mark.night]

ROOT = Path(__file__).parents[2]
FOUND_WITHIN = 60.0
PATIENCE = 400.0


def environment(shop: Shop) -> dict[str, str]:
    """Of a process that knows of this shop alone."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TRUEUP_", "DAGSTER"))}
    return own | {**shop.environment(), "PYTHONPATH": str(ROOT)}


def sync(shop: Shop) -> "subprocess.Popen[str]":
    """`trueup sync`, begun."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "sync"], cwd=ROOT, env=environment(shop), text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )


def ended(run: "subprocess.Popen[str]") -> tuple[int, str]:
    """Its exit code and its words."""
    _, words = run.communicate(timeout=PATIENCE)
    return run.returncode, words


def until(what: Callable[[], object], goes_on: Callable[[], bool]) -> bool:
    """Wait for it; whether it came while that went on."""
    end = monotonic() + PATIENCE
    while not (came := what()) and goes_on() and monotonic() < end:
        Event().wait(0.005)  # never set: somebody else's process is waited for
    return bool(came)


def values_written(shop: Shop, since: int) -> bool:
    """Whether the main push has begun: the opt-outs' lane writes neither prices nor levels."""
    return any(e["origin"] == "api" and e["kind"] in ("stock", "prices") for e in shop.effects(since))


def killed_in_its_push(shops: Callable[[], Shop]) -> tuple[Shop, int]:
    """A retailer whose sync was killed while something was left to write, and the line of its log before that sync."""
    for _ in range(5):
        shop = shops()
        since = judge.last_line(shop)
        run = sync(shop)
        assert until(lambda: values_written(shop, since), lambda: run.poll() is None)  # noqa: B023 (ended in this turn)
        run.kill()
        assert ended(run)[0] == -signal.SIGKILL
        if judge.lost(shop):
            return shop, since
    raise AssertionError("it had written everything each time")


def test_a_sync_that_is_killed_in_its_push_is_finished_by_the_next(
    shops: Callable[[], Shop], record_property: Callable[[str, object], None]
) -> None:
    shop, since = killed_in_its_push(shops)
    record_property(KILLED, "push")
    code, words = ended(sync(shop))
    assert code == DONE, words
    violations = [*judge.of_a_night(shop, since), *judge.lost(shop), *judge.unintended(shop, since)]
    latest = judge.last_line(shop)
    code, words = ended(sync(shop))
    assert code == DONE, words
    violations += judge.quiet(shop, latest)
    assert not violations, "\n".join(map(str, violations))
    failures = (shop.home / "failures.log").read_text(encoding="utf-8")
    assert failures.count("nightly run") == 1, failures


def test_of_several_syncs_at_once_the_later_ones_say_who_writes(shop: Shop) -> None:
    since = judge.last_line(shop)
    told = [ended(run) for run in [sync(shop) for _ in range(3)]]
    held = [words for code, words in told if code == HELD]
    assert len(held) in (1, 2) and {code for code, _ in told} == {DONE, HELD}, told
    for words in held:
        assert re.search(r"another run is writing: nightly run \w{8} \(process \d+ on ", words), words
    violations = [*judge.of_a_night(shop, since), *judge.lost(shop)]
    assert not violations, "\n".join(map(str, violations))


def test_a_sync_says_which_process_has_the_warehouse_open(shop: Shop) -> None:
    code = "import sys, duckdb; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    file = shop.home / "warehouse" / "ledger.duckdb"
    holder = subprocess.Popen([sys.executable, "-c", code, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    code_of_sync, words = ended(sync(shop))
    holder.communicate(b"")
    assert code_of_sync == HELD and f"(PID {holder.pid})" in words and str(file) in words, words


@contextmanager
def daemon(shop: Shop, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Dagster's daemon on this home, with all that it starts."""
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-m", "tests.kill.soon", "-d", str(ROOT)]
    with (shop.folder / "daemon.log").open("wb") as sink:
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=sink, stderr=sink, start_new_session=True,
            env=environment(shop) | {"DAGSTER_HOME": str(folder), "DAGSTER_DISABLE_TELEMETRY": "yes"},
        )
        try:
            yield child
        finally:
            for word in (signal.SIGINT, signal.SIGKILL):
                try:
                    os.killpg(child.pid, word)
                    child.wait(15)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue


def test_the_daemon_finds_a_killed_run_within_a_minute_and_the_next_tick_runs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    since = judge.last_line(shop)
    for name, value in environment(shop).items():
        monkeypatch.setenv(name, value)
    folder = dagster_home(Settings.read())
    with dg.DagsterInstance.from_config(str(folder)) as instance, daemon(shop, folder) as child:

        def status(run: dg.DagsterRun) -> dg.DagsterRunStatus:
            found = instance.get_run_by_id(run.run_id)
            assert found is not None
            return found.status

        def runs(state: dg.DagsterRunStatus) -> list[dg.DagsterRun]:
            return list(instance.get_runs(dg.RunsFilter(job_name="nightly", statuses=[state])))

        alive = child.poll
        assert until(lambda: values_written(shop, since), lambda: alive() is None), _tail(shop)
        (run,) = runs(dg.DagsterRunStatus.STARTED)
        os.kill(int(run.tags[PID]), signal.SIGKILL)
        killed_at = monotonic()
        record_property(KILLED, "push")
        assert status(run) is dg.DagsterRunStatus.STARTED, "nobody has said that it failed"
        assert until(lambda: status(run) is dg.DagsterRunStatus.FAILURE, lambda: alive() is None), _tail(shop)
        seconds = monotonic() - killed_at
        record_property(FOUND, round(seconds, 1))
        assert seconds <= FOUND_WITHIN
        assert until(lambda: runs(dg.DagsterRunStatus.SUCCESS), lambda: alive() is None), _tail(shop)
        violations = [*judge.of_a_night(shop, since), *judge.lost(shop)]
    assert not violations, "\n".join(map(str, violations))
    assert run.run_id in (shop.home / "failures.log").read_text(encoding="utf-8")


def _tail(shop: Shop) -> str:
    return (shop.folder / "daemon.log").read_text(encoding="utf-8", errors="replace")[-3000:]
