"""Many worlds, many days: `python -m tests.nights.rounds --seeds 1..10 --days 6 --variants 90 --persons 240 --shops 2`.

Each seed is made, adopted, and lives some days with a night and a judgement after each; a last night on quiet systems
must plan nothing new. One line a night, what is wrong below it; exit code 1 where anything was. Not a test of the
suite, whose nights are few: this is how a change of the world, the truth or the pipeline is tried on many seeds.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import resources.closing
from pipelines.check import suites
from sandbox.verdict import Verdict
from sandbox.world.settings import DayRates, WorldSettings
from tests.nights.harness import Night, PlayedEstate, told


def main(arguments: list[str] | None = None) -> int:
    """Run all seeds; returns how the process is to end."""
    args = _parser().parse_args(arguments)
    is_right = True
    for seed in _numbers(args.seeds):
        size = WorldSettings(seed, variants=args.variants, persons=args.persons, shops=args.shops)
        with _scratch(args.keep) as folder, _only_what_decides():
            is_right &= play(folder / f"seed_{seed}", size, args.days, _rates(args.gone))
    return 0 if is_right else 1


def play(folder: Path, size: WorldSettings, days: int, rates: DayRates) -> bool:
    """One world from its first night to a quiet one; whether all of it was right."""
    played = PlayedEstate.made(folder, size)
    is_right = _line(size.seed, "adopt", *_night(played, "adopt"))
    for day in range(1, days + 1):
        played.day(rates)
        is_right &= _line(size.seed, f"day {day}", *_night(played))
    started = time.monotonic()
    quiet = played.night()
    is_quiet = not quiet.new and not quiet.effects
    print(f"seed {size.seed} quiet: {len(quiet.new)} new, {len(quiet.effects)} effects, "
          f"{time.monotonic() - started:.1f} s", flush=True)
    for row in quiet.new:
        print(f"    new: {row['system']} {row['entity']}.{row['field']} {row['vendor_id']} {row['vendor_sub_id']} "
              f"{row['drift_class']} {row['disposition']}: {row['observed']} -> {row['desired']} ({row['rule']})")
    played.close()
    return is_right and is_quiet


def _rates(gone: int) -> DayRates:
    """Days on which at least so many records go, of each kind, in each way and system."""
    usual = DayRates()
    return replace(
        usual, deleted_items=(usual.deleted_items[0], gone), gone_customers=(usual.gone_customers[0], gone),
        edits_of_deleted_items=(usual.edits_of_deleted_items[0], gone),
    )


def _night(played: PlayedEstate, kind: str = "nightly") -> tuple[Night, Verdict, float]:
    started = time.monotonic()
    night = played.night(kind)
    return night, played.judge(), time.monotonic() - started


def _line(seed: int, name: str, night: Night, verdict: Verdict, seconds: float) -> bool:
    counts = {
        word: sum(getattr(tally, word) for tally in verdict.tallies.values())
        for word in ("expected", "found", "missed", "false", "misclassed", "apart")
    }
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    is_right = verdict.is_passed and night.status == "complete"
    print(f"seed {seed} {name}: {'right' if is_right else 'WRONG'} ({night.status}): {words}, "
          f"{verdict.confirmed} confirmed, {seconds:.1f} s", flush=True)
    if not is_right:
        print("    " + told(verdict).replace("\n", "\n    "), flush=True)
    return is_right


@contextmanager
def _only_what_decides() -> Iterator[None]:
    """Leaves out what takes a second a night and decides nothing here: suites of checks, and the report."""
    real = suites.run_suites, resources.closing.write_report
    suites.run_suites = lambda con, checks: []
    resources.closing.write_report = lambda con, night_id, folder: folder / night_id
    try:
        yield
    finally:
        suites.run_suites, resources.closing.write_report = real


@contextmanager
def _scratch(kept: Path | None) -> Iterator[Path]:
    """Where the worlds lie: a folder that goes away, or the one that was asked for."""
    folder = kept or Path(tempfile.mkdtemp(prefix="rounds-"))
    try:
        yield folder
    finally:
        if kept is None:
            shutil.rmtree(folder)


def _numbers(text: str) -> list[int]:
    """'3' or '1..10', both ends included."""
    first, _, last = text.partition("..")
    return list(range(int(first), int(last or first) + 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.nights.rounds", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="1..10", help="one, or from..to; default: %(default)s")
    for name, count in (("days", 6), ("variants", 90), ("persons", 240), ("shops", 2)):
        parser.add_argument(f"--{name}", type=int, default=count, help="default: %(default)s")
    parser.add_argument("--gone", type=int, default=1, help="records that go a day, each way; default: %(default)s")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the worlds there, to look into")
    return parser


if __name__ == "__main__":
    sys.exit(main())
