"""A seed is the same trace, byte for byte: again in this process, and in another with other hashes of text."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.simulation.play import Played, Templates, play
from tests.simulation.scenario import CALLS, OTHERS, scenario

pytestmark = pytest.mark.night
SEED = 2
"""Two nights of three kinds of faults, in an estate of two systems."""


def first_difference(left: bytes, right: bytes) -> str:
    for number, (a, b) in enumerate(zip(left.splitlines(), right.splitlines(), strict=False), 1):
        if a != b:
            return f"line {number}: {a.decode()[:300]} / {b.decode()[:300]}"
    return f"{len(left)} and {len(right)} bytes"


@pytest.mark.long
def test_a_seed_is_the_same_trace_in_any_process(templates: Templates, tmp_path: Path) -> None:
    here = play(SEED, templates, tmp_path / "a")
    assert here.is_right, "\n".join(map(str, here.violations))
    hashes = "41" if os.environ.get("PYTHONHASHSEED") != "41" else "42"
    code = (
        "import sys, logging; from pathlib import Path; logging.disable(50)\n"
        "from tests.simulation.play import Templates, play\n"
        "play(int(sys.argv[1]), Templates(Path(sys.argv[2])), Path(sys.argv[3])).trace.write(Path(sys.argv[4]))"
    )
    shutil.copytree(templates.folder, tmp_path / "families")
    paths = [str(tmp_path / name) for name in ("families", "b", "b.jsonl")]
    subprocess.run(
        [sys.executable, "-c", code, str(SEED), *paths],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)}, check=True,
        capture_output=True, timeout=600,
    )
    there = (tmp_path / "b.jsonl").read_bytes()
    assert there == here.trace.text().encode(), first_difference(there, here.trace.text().encode())


def test_seeds_draw_all_kinds_of_faults() -> None:
    drawn = {kind for seed in range(1, 101) for night in scenario(seed, {}).nights for kind in night.kinds}
    assert drawn == {*CALLS, *OTHERS}


def test_a_seed_says_what_it_says_whoever_drew_before() -> None:
    alone = scenario(7, {})
    random.seed(3)
    scenario(6, {})
    again = scenario(7, {})
    assert [night.kinds for night in again.nights] == [night.kinds for night in alone.nights]
    assert [night.dies_at for night in again.nights] == [night.dies_at for night in alone.nights]


@pytest.mark.parametrize("seed", [8])
def test_a_seed_is_right(seed: int, templates: Templates, tmp_path: Path) -> None:
    played: Played = play(seed, templates, tmp_path / "seed")
    assert played.is_right, "\n".join(map(str, played.violations))
    assert played.nights >= 3
    assert sum(played.faults.values())
