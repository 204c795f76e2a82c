"""Time and peak memory of a first census at any size: `python -m benchmarks.scale [VARIANTS] [PERSONS] [--json FILE]`.

Makes a world, serves it, and runs the night's own steps against it up to the drift: census of all four systems, stage,
permissions, items, persons, trees, drift. Nothing is pushed. The reader runs in this process, the world is made and
played by others, whose memory is told apart. Built to run for hours in the background: each line is printed when its
phase ends, and the JSON is rewritten then. Sizes up to 1,000,000 x 1,000,000; the folder needs about 30 GB for that.

    nohup python -m benchmarks.scale 1000000 1000000 --dir /some/large/disk --json scale.json > scale.log 2>&1 &
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

STEPS = ("extract", "stage", "consents", "items", "persons", "trees", "drift")


@dataclass
class Phase:
    """What one phase took. Memory is the largest resident size while it ran."""

    name: str
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    rows: int = 0


@dataclass
class Report:
    """All phases so far; printed and kept as they end."""

    variants: int
    persons: int
    file: Path | None = None
    phases: list[Phase] = field(default_factory=list)
    served: dict[str, float] = field(default_factory=dict)
    waited: dict[str, float] = field(default_factory=dict)
    """Seconds that a system's limits held back its most patient read."""
    reads: dict[str, float] = field(default_factory=dict)
    """Seconds from first to last page, by endpoint; all are read at once."""

    def add(self, phase: Phase) -> None:
        self.phases.append(phase)
        print(
            f"{phase.name:10} {phase.wall_seconds:>9,.1f} s wall {phase.cpu_seconds:>9,.1f} s CPU "
            f"{phase.peak_mb:>8,.0f} MB peak{f'{phase.rows:>14,} rows' if phase.rows else ''}", flush=True,
        )
        self.keep()

    def keep(self) -> None:
        if self.file:
            told = asdict(self) | {"file": None}
            self.file.write_text(json.dumps(told, indent=1), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.splitlines()[0])
    parser.add_argument("variants", type=int, nargs="?", default=20_000, help="default: %(default)s")
    parser.add_argument("persons", type=int, nargs="?", default=20_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--dir", type=Path, metavar="FOLDER", help="where the files lie; default: temporary")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too, after each phase")
    given = parser.parse_args()
    report = Report(given.variants, given.persons, given.json)
    if given.dir:
        given.dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.dir) as folder:
        world, home = Path(folder, "sandbox"), Path(folder, "home")
        report.add(generate(world, given))
        with served(world, report) as url:
            census(home, world / "estate.toml", url, report)
        report.keep()
    if report.served:
        print(f"the played systems: {report.served['cpu_seconds']:,.1f} s CPU, {report.served['peak_mb']:,.0f} MB peak")
    waited = ", ".join(f"{name} {seconds:,.1f} s" for name, seconds in sorted(report.waited.items()))
    print(f"waited on limits: {waited}")
    slowest = sorted(report.reads.items(), key=lambda read: -read[1])[:4]
    print("slowest reads: " + ", ".join(f"{name} {seconds:,.1f} s" for name, seconds in slowest))


def generate(world: Path, given: argparse.Namespace) -> Phase:
    """The world, made by a process of its own."""
    sizes = ["--variants", str(given.variants), "--persons", str(given.persons), "--seed", str(given.seed)]
    began = time.perf_counter()
    maker = subprocess.Popen([sys.executable, "-m", "sandbox", "create", "--dir", str(world), *sizes])
    _, status, used = os.wait4(maker.pid, 0)
    if status:
        raise SystemExit(f"the world could not be made (status {status})")
    size = sum(path.stat().st_size for path in world.rglob("*") if path.is_file())
    print(f"the world is {size / 1e9:.1f} GB", flush=True)
    return Phase("generate", time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@contextmanager
def served(world: Path, report: Report) -> Iterator[str]:
    """The world, played by a process of its own; what that cost is told at its end."""
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(world), "--port", "0"]
    player = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert player.stdout is not None
        url = player.stdout.readline().strip()
        if not url.startswith("http://"):
            raise SystemExit(f"the sandbox did not start: {url}")
        yield url
    finally:
        player.terminate()
        _, _, used = os.wait4(player.pid, 0)
        player.returncode = 0
        report.served = {"cpu_seconds": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}


def census(home: Path, estate: Path, url: str, report: Report) -> None:
    """The night's steps, timed one by one."""
    from pipelines.channels import CHANNELS
    from resources import steps
    from resources.channels import Settings
    from resources.tonight import Tonight
    from resources.workplace import open_workplace

    settings = Settings.read({
        "TRUEUP_HOME": str(home), "TRUEUP_ESTATE": str(estate), "TRUEUP_CONTACT_KEY": "the benchmark's own key",
        **{f"TRUEUP_{channel.name.upper()}_URL": f"{url}/{channel.name}" for channel in CHANNELS},
        **{secret: "sandbox" for channel in CHANNELS for secret in channel.secrets},
    })
    with open_workplace(settings, CHANNELS, holder="benchmarks.scale") as place:
        tonight = Tonight(place, kind="adopt")
        try:
            for name in STEPS:
                step = getattr(steps, name)
                report.add(measured(name, lambda step=step: step(tonight), lambda name=name: _rows(place.con, name)))
                if name == "extract":
                    _must_be_complete(place.con, report)
        finally:
            tonight.abandon()


def measured(name: str, work: Callable[[], object], rows: Callable[[], int]) -> Phase:
    _forget_peak()
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Phase(name, wall, cpu, _peak_mb(), rows())


def _forget_peak() -> None:
    """Start the kernel's high-water mark of this process anew; where it may not be, peaks are those so far."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        print("(peaks cannot be reset here: each is the largest so far)", flush=True)


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _must_be_complete(con, report: Report) -> None:  # noqa: ANN001
    """What the reads cost in waiting, by system; a census that is not whole measures nothing."""
    rows = con.execute(
        "SELECT system, endpoint, is_complete, reason, waited_seconds, epoch(finished_at - started_at) "
        "FROM ledger.sync.reads ORDER BY ALL"
    ).fetchall()
    broken = [f"{row[0]}.{row[1]}: {row[3]}" for row in rows if not row[2]]
    if broken:
        raise SystemExit("not read whole: " + "; ".join(broken))
    report.reads = {f"{row[0]}.{row[1]}": row[5] for row in rows}
    report.waited = {name: max(row[4] for row in rows if row[0] == name) for name in {row[0] for row in rows}}


def _rows(con, step: str) -> int:  # noqa: ANN001
    """How many rows a step left: what was read, or the largest of its results."""
    counted = {
        "extract": "SELECT sum(row_count) FROM ledger.sync.reads",
        "stage": "SELECT (SELECT count(*) FROM staged.items) + (SELECT count(*) FROM staged.prices) "
                 "+ (SELECT count(*) FROM staged.stock) + (SELECT count(*) FROM staged.movements) "
                 "+ (SELECT count(*) FROM staged.customers) + (SELECT count(*) FROM staged.consents) "
                 "+ (SELECT count(*) FROM staged.orders) + (SELECT count(*) FROM staged.order_lines)",
        "consents": "SELECT count(*) FROM observed.consents",
        "items": "SELECT count(*) FROM reconcile.item_matches",
        "persons": "SELECT count(*) FROM reconcile.person_matches",
        "trees": "SELECT (SELECT count(*) FROM observed.prices) + (SELECT count(*) FROM observed.stock)",
        "drift": "SELECT count(*) FROM reconcile.drift",
    }[step]
    return int(con.execute(counted).fetchone()[0])


if __name__ == "__main__":
    main()
