"""R19: a disk that is full, a folder that cannot be written, a file that another holds: told by name, and made good.

The ledger's write that failed is the last thing of that run: nothing is sent whose intent is not on the disk.
"""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cli.night import FAILED, HELD, WRONG
from tests.kill import judge
from tests.kill.child import INTENDS, NOTED, REFUSED, VERIFIED, At
from tests.kill.shop import Shop

pytestmark = [pytest.mark.kill, pytest.mark.process, pytest.mark.night]

ROOT = Path(__file__).parents[2]
LEDGER, WORK = "warehouse/ledger.duckdb.wal", "warehouse/work.duckdb.wal"
HOLDS = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


PLACES = [
    (At("extract", "before"), LEDGER, 200, ".duckdb"), (At("stage", "before"), WORK, 4096, "work.duckdb"),
    (At("suppress", INTENDS, 2), LEDGER, 300, "ledger.duckdb"), (At("drift", "before"), WORK, 4096, "work.duckdb"),
    (At("push", INTENDS, 1), LEDGER, 300, "ledger.duckdb"), (At("push", NOTED, 3), LEDGER, 40, "ledger.duckdb"),
    (At("push", INTENDS, 4), LEDGER, 300, "ledger.duckdb"), (At("verify", VERIFIED), LEDGER, 300_000, ".duckdb"),
]
"""Where it fills up, which file may grow by how much more, and what is named; one run after the other."""


@pytest.mark.parametrize("places", [PLACES[:4], PLACES[4:]], ids=["before the push", "from the push on"])
def test_a_full_disk_is_told_by_the_files_name(shop: Shop, places: list[tuple[At, str, int, str]]) -> None:
    since = judge.last_line(shop)
    for at, beyond, more, named in places:
        run = shop.begin(full=(at, beyond, more))
        code = run.ended()
        assert code in (FAILED, WRONG) and "Traceback" not in run.said, f"{at}: {run.said}"
        last = run.said.splitlines()[-1]
        assert named in last and "cannot be written: File too large" in last, f"{at}: {run.said}"
        assert not list(judge.unintended(shop, since))
    violations = judge.finished(shop, since)
    assert not violations, judge.told(violations, shop)


def test_a_home_that_cannot_be_written_stops_before_anything_is_read(shop: Shop) -> None:
    since = judge.last_line(shop)
    run = shop.begin(is_read_only=True)
    if (code := run.ended()) == REFUSED:
        pytest.skip("this machine lets nobody mount a folder read-only")
    (sentence,) = run.said.splitlines()
    assert code == WRONG and "lease.json" in sentence and "Read-only file system" in sentence
    assert not any(name == "before" for _, _, name in run.places), "it began no step"
    violations = judge.finished(shop, since)
    assert not violations, judge.told(violations, shop)


def test_who_has_a_file_open_is_told(shop: Shop) -> None:
    since = judge.last_line(shop)
    for name in ("work.duckdb", "ledger.duckdb"):
        file = shop.home / "warehouse" / name
        holder = subprocess.Popen([sys.executable, "-c", HOLDS, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        run = shop.begin()
        code = run.ended()
        holder.communicate(b"")
        (sentence,) = run.said.splitlines()
        assert code == HELD and str(file) in sentence and f"(PID {holder.pid})" in sentence
        assert not any(name == "before" for _, _, name in run.places), "it began no step"
    violations = judge.finished(shop, since)
    assert not violations, judge.told(violations, shop)


def test_a_plan_that_cannot_be_written_is_told(shop: Shop, tmp_path: Path) -> None:
    assert shop.begin().ended() == 0
    no_bytecode = {"PYTHONDONTWRITEBYTECODE": "1"}  # it would be cut off, for every later process
    for ending in (".jsonl", ".xlsx"):
        plan = tmp_path / f"plan{ending}"
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "plan", "--last", "--export", str(plan)], cwd=ROOT, check=False,
            capture_output=True, text=True, env={**shop.environment(), "PYTHONPATH": str(ROOT)} | no_bytecode,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
        )
        sentence = done.stderr.splitlines()[0]  # Python's zipfile may complain on its own after it
        assert done.returncode == WRONG and f"{plan} cannot be written: File too large" in sentence, done.stderr
