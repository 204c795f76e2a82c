"""Time of whole nights on the default world, by the real command line: `python -m benchmarks.night [--variants N …]`.

A new world in a folder that is thrown away; then as a user does it: night 0 (`trueup adopt`), a day, night 1 and a
night in which nothing happened (`trueup sync`), and the judge. Printed: seconds by phase as the run itself shows them,
calls made against the least possible, seconds waited on each system's limits, CPU seconds of everything (the played
systems too). The sandbox plays Shopify Plus, and bulk jobs that are done at once. Goal: night 1 under 60 s, set-up
apart.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

GOAL_SECONDS = 60.0
_SIZES = {"seed": 7, "variants": 2_000, "persons": 8_000, "shops": 6}
_STEP = re.compile(r"^\s+[✓✗]\s+(\S+)\s+([\d.]+) s$")


@dataclass
class Night:
    """What one command took."""

    name: str
    wall: float
    cpu: float
    phases: dict[str, float] = field(default_factory=dict)
    told: dict = field(default_factory=dict)

    @property
    def waited(self) -> float:
        """Seconds that the systems' limits made it wait, added up; systems wait at the same time."""
        return sum(told["waited_seconds"] for told in self.told.get("calls", {}).values())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.night", description=__doc__.splitlines()[0])
    for name, default in _SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=default, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder), given)
        made = _run("world", [sys.executable, "-m", "sandbox", "create", "--dir", str(Path(folder, "sandbox")),
                              *_sizes(given)], environment)
        nights = [_night("night 0", "adopt", environment)]
        _run("a day", _trueup("day"), environment)
        nights += [_night("night 1", "sync", environment), _night("unchanged", "sync", environment)]
        judged = subprocess.run(_trueup("judge"), env=environment, capture_output=True, text=True, check=False)
    show(made, nights, judged.stdout.strip().splitlines()[-1] if judged.stdout.strip() else judged.stderr[-500:])
    if given.json:
        given.json.write_text(json.dumps([vars(night) for night in nights], indent=1), encoding="utf-8")


def _environment(home: Path, given: argparse.Namespace) -> dict[str, str]:
    """A process's own, without what would name another estate."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRUEUP_", "DAGSTER_"))}
    sizes = {name.upper(): str(getattr(given, name)) for name in _SIZES}
    return {**kept, **sizes, "TRUEUP_HOME": str(home), "COLUMNS": "200", "NO_COLOR": "1"}


def _sizes(given: argparse.Namespace) -> list[str]:
    return [text for name in _SIZES for text in (f"--{name}", str(getattr(given, name)))]


def _trueup(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("trueup")), *words]


def _run(name: str, command: list[str], environment: dict[str, str]) -> Night:
    """One command to its end; fails with its last words."""
    print(f"{name} …", flush=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != 0:
        last = ended.stdout[-2000:] + ended.stderr[-4000:]
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}:\n{last}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = Night(name, wall, cpu)
    for line in ended.stderr.splitlines():
        if step := _STEP.match(line):
            found.phases[step[1]] = found.phases.get(step[1], 0.0) + float(step[2])
    found.told = json.loads(ended.stdout) if ended.stdout.lstrip().startswith("{") else {}
    return found


def _night(name: str, command: str, environment: dict[str, str]) -> Night:
    return _run(name, _trueup(command, "--json"), environment)


def show(made: Night, nights: list[Night], verdict: str) -> None:
    print(f"\nset-up, not counted: the world in {made.wall:.1f} s ({made.cpu:.1f} CPU s)\n")
    print(f"{'seconds':14}" + "".join(f"{night.name:>12}" for night in nights))
    for phase in dict.fromkeys(phase for night in nights for phase in night.phases):
        print(f"{phase:14}" + "".join(f"{night.phases.get(phase, 0):>12.1f}" for night in nights))
    steps = [sum(night.phases.values()) for night in nights]
    print(f"{'start and end':14}" + "".join(f"{n.wall - s:>12.1f}" for n, s in zip(nights, steps, strict=True)))
    print(f"{'wall':14}" + "".join(f"{night.wall:>12.1f}" for night in nights))
    print(f"{'CPU':14}" + "".join(f"{night.cpu:>12.1f}" for night in nights))
    print(f"{'new rows':14}" + "".join(f"{night.told.get('new_corrections', 0):>12,}" for night in nights))
    print("\ncalls made / least possible, and seconds waited on the system's limits")
    for system in sorted({system for night in nights for system in night.told.get("calls", {})}):
        print(f"{system:14}" + "".join(f"{_calls(night.told['calls'].get(system)):>28}" for night in nights))
    night = nights[1]
    print(f"\n{night.name}: {night.wall:.1f} s (goal: under {GOAL_SECONDS:.0f} s, set-up apart), of it at most "
          f"{night.waited:.1f} s waited on limits; judge: {verdict}")


def _calls(told: dict[str, float] | None) -> str:
    if told is None:
        return "–"
    made, least = told["read"] + told["write"], told["read_least"] + told["write_least"]
    return f"{made:,.0f} / {least:,.0f}, {told['waited_seconds']:.1f} s"


if __name__ == "__main__":
    main()
