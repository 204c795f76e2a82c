"""Prints a table: each switch, the test that noticed, and how long it took; ends with 1 where one goes unnoticed.

`python -m tests.switches tests/pains/switches.toml [--only WORDS]`
"""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.switches import Switch, SwitchError, ask, broken, copy_tree, off, read_switches

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Try every switch of the table."""
    asked = argparse.ArgumentParser(prog="python -m tests.switches", description=__doc__)
    asked.add_argument("table", type=Path, help="the switches (TOML)")
    asked.add_argument("--only", default="", help="those whose name holds these words")
    arguments = asked.parse_args()
    try:
        switches = [one for one in read_switches(arguments.table) if arguments.only in one.name]
        if not switches:
            raise SwitchError(f"no switch of {arguments.table} has {arguments.only!r} in its name")
        return _tried(switches)
    except SwitchError as error:
        print(error, file=sys.stderr)
        return 2


def _tried(switches: list[Switch]) -> int:
    for one in switches:
        broken(ROOT, one)
    began, unnoticed, width = time.perf_counter(), 0, max(len(one.name) for one in switches)
    with TemporaryDirectory(prefix="trueup-switches-") as folder:
        tree = copy_tree(ROOT, Path(folder) / "tree")
        tests = sorted({one.test for one in switches})
        if words := ask(tree, tests).words:
            raise SwitchError(f"with every switch on, a test fails: {words}")
        print(f"{'switched off':<{width}}  seconds  noticed by")
        for one in switches:
            with off(tree, one):
                found = ask(tree, [one.test])
            unnoticed += not found.is_noticed
            test = one.test if found.is_noticed else f"NOBODY: {one.test} {found.words or 'stayed green'}"
            print(f"{one.name:<{width}}  {found.seconds:7.1f}  {test}", flush=True)
    seconds = time.perf_counter() - began
    print(f"{len(switches) - unnoticed} of {len(switches)} switches were noticed, in {seconds:.0f} s")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
