"""What counts the cases of a law: every example that held, no other, and a run that tried too few is not green."""

import asyncio
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests import law
from tests.conftest import ROOT


def made(few, **said):
    """A law that holds."""

    @law.law(few, **said)
    @given(batch=st.lists(st.integers(), min_size=3, max_size=9))
    def held(batch):
        assume(sum(batch) % 7)

    return held


def test_an_example_counts_as_many_cases_as_it_held():
    counted = made(20, holds=3, of=lambda batch: len(batch))
    counted()
    assert counted.tally.wanted == 60 <= counted.tally.held <= 20 * 9


def test_a_broken_law_counts_no_broken_case():
    @law.law(50, is_seeded=True)
    @given(number=st.integers(0, 10**6))
    def broken(number):
        assert number < 0

    with pytest.raises(AssertionError):
        broken()
    assert broken.tally.held == 0


def test_what_waits_is_counted_too():
    @law.law(5)
    @given(number=st.integers(0, 10**6))
    async def waiting(number):
        await asyncio.sleep(0)

    asyncio.run(waiting.hypothesis.inner_test(number=3))
    assert waiting.tally.held == 1


def test_many_cases_are_asked_for_by_the_environment(monkeypatch):
    monkeypatch.setattr(law, "CASES", 10_000)
    assert made(2, holds=500).tally.wanted == 10_000
    assert made(2, holds=3).tally.wanted == 10_002
    assert made(2, holds=500, times=10).tally.wanted == 100_000


def report(name, cases):
    return SimpleNamespace(nodeid=name, keywords={"law": 1}, user_properties=[(law.PROPERTY, cases)])


def test_the_closing_line_says_how_many_held():
    told = law.lines([report("a", 10_000), report("longer", 12_500)], 90, is_whole=True)
    assert told[0].split() == ["a", "10,000", "cases"]
    assert told[-1] == (
        "2 laws held in 22,500 generated cases, none failed; the least tried in 10,000; 1.5 minutes"
    )
    assert "NOT GREEN" in law.lines([report("a", 1)], 1, is_whole=False)[-1]
    assert law.lines([], 1, is_whole=True) == []


def test_a_law_that_runs_out_of_cases_fails(tmp_path):
    (tmp_path / "test_few.py").write_text(
        "from hypothesis import given, strategies as st\nfrom tests.law import law\n\n"
        "@law(5)\n@given(one=st.booleans())\ndef test_two_cases_alone(one):\n    pass\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull,
         "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )
    assert run.returncode == 1 and "only 2 of 5 cases could be made" in run.stdout, run.stdout
