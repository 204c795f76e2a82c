"""Switches rules of the product off, one at a time, in a copy of the tree, and asks whether a test notices.

A rule that no test misses is not there. A table (TOML) says which text of which file to replace, and the one test that
must turn red; a text that is not found exactly once is refused, so that a table cannot go stale unseen. The tree itself
is never touched. Noticed is what an assertion says: a switch that only makes the program crash switches nothing off.
"""

import os
import shutil
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".trueup", ".real", ".hypothesis", ".*_cache", "__pycache__", "*.egg-info", "build", "dist"
)
SAID = ("AssertionError", "assert ", "Failed: ")
"""How the message of a failure begins that an assertion made; the last is that of `pytest.raises`."""


class SwitchError(Exception):
    """A table, or a switch of it, that cannot be used; says which and why."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One rule of the product, how to break it, and who must notice."""

    name: str
    file: str
    text: str
    into: str
    test: str


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a test: whether an assertion of it failed, what it said, and how long it took."""

    is_noticed: bool
    words: str
    seconds: float


def read_switches(path: Path) -> list[Switch]:
    """The switches of a table, which is a list of `[[switch]]`."""
    names = {field.name for field in fields(Switch)}
    found = []
    for number, row in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get("switch", []), start=1):
        if row.keys() != names:
            raise SwitchError(f"{path}, switch {number}: it has {', '.join(sorted(names))} and nothing else")
        found.append(Switch(**row))
    if not found:
        raise SwitchError(f"{path}: there is no [[switch]]")
    doubled = {one.name for one in found if [other.name for other in found].count(one.name) > 1}
    if doubled:
        raise SwitchError(f"{path}: two switches are called {sorted(doubled)[0]!r}")
    return found


def broken(root: Path, switch: Switch) -> str:
    """The switch's file with its text replaced."""
    path = root / switch.file
    if not path.is_file():
        raise SwitchError(f"{switch.name}: there is no file {switch.file}")
    text = path.read_text(encoding="utf-8")
    if (count := text.count(switch.text)) != 1:
        raise SwitchError(f"{switch.name}: its text is in {switch.file} {count} times, not once; mend the table")
    if switch.text == switch.into:
        raise SwitchError(f"{switch.name}: it changes nothing")
    return text.replace(switch.text, switch.into)


def copy_tree(root: Path, target: Path) -> Path:
    """A copy of the tree to break things in."""
    shutil.copytree(root, target, ignore=LEFT_OUT)
    return target


@contextmanager
def off(tree: Path, switch: Switch) -> Iterator[None]:
    """The rule is switched off in a copy for as long as this lasts."""
    path, without = tree / switch.file, broken(tree, switch)
    before = path.read_text(encoding="utf-8")
    path.write_text(without, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def ask(tree: Path, tests: Sequence[str]) -> Found:
    """Run some tests of a copy, up to the first that fails."""
    report = tree / "switch-report.xml"
    report.unlink(missing_ok=True)
    left = {name: value for name, value in os.environ.items() if name not in ("REQUIRE_SHARED", "LAW_CASES")}
    began = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-o", "addopts=", "-p", "no:cacheprovider", f"--junitxml={report}",
         *tests],
        cwd=tree, env=left | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if run.returncode == 0:
        return Found(False, "", seconds)
    cases = ET.parse(report).iter("testcase") if report.is_file() else ()
    wrong = [part for case in cases for part in case if part.tag in ("failure", "error")]
    if not wrong:
        raise SwitchError(f"pytest ended with {run.returncode}: {(run.stdout + run.stderr).strip()[-500:]}")
    words = wrong[0].get("message", "").splitlines()[0]
    return Found(wrong[0].tag == "failure" and words.startswith(SAID), words, seconds)
