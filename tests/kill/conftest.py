"""The retailer that every test begins with, and the closing line of `make kill`: how many processes died where."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from resources.means import Means
from sandbox.world.settings import DayRates, WorldSettings
from tests import arming
from tests.conftest import played_once
from tests.kill.child import STEPS
from tests.kill.shop import Shop
from tests.nights import harness
from tests.nights.harness import PlayedEstate
from tests.simulation.keys import score_by_keys

SIZE = WorldSettings(seed=11, variants=40, persons=30, shops=2)
OPT_OUTS = DayRates(opt_outs=(0.0, 6))
"""Enough that the opt-outs' lane writes to each system."""
KILLED, WRONG = "killed in", "wrong"
FOUND = "seconds until the daemon found a killed run"
"""Properties of a test: the step in which a process was killed, how many rules were broken, and a measurement."""
_BEGAN = time.perf_counter()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a retailer after its first night and one day more, armed, before the night."""

    def play(folder: Path) -> tuple[PlayedEstate, None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(harness, "MEANS", Means(
                load=harness.load_by_arrow, score=score_by_keys, suites=lambda con, checks: [],
                report=lambda con, night_id, folder: folder / night_id,
            ))
            played = PlayedEstate.made(folder, SIZE)
            assert played.night("adopt").status == "complete"
        played.day(OPT_OUTS)
        arming.arm(played.settings, played.store.now())
        return played, None

    played, _ = played_once(tmp_path_factory, "to be killed", play)
    played.close()
    return played.folder


@pytest.fixture
def shops(prepared: Path, tmp_path: Path) -> Iterator[Callable[[], Shop]]:
    """Copies of the prepared retailer, each with its systems up until the test ends."""
    with ExitStack() as stack:
        made: list[Shop] = []

        def another() -> Shop:
            made.append(stack.enter_context(Shop.copied(prepared, tmp_path / f"shop {len(made) + 1}").served()))
            return made[-1]

        yield another


@pytest.fixture
def shop(shops: Callable[[], Shop]) -> Shop:
    """One of them."""
    return shops()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The closing line, where processes were killed."""
    killed, wrong = Counter[str](), 0
    found: list[object] = []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if getattr(report, "when", "") == "call":
                killed.update(str(value) for name, value in report.user_properties if name == KILLED)
                found += [value for name, value in report.user_properties if name == FOUND]
                wrong += sum(int(str(value)) for name, value in report.user_properties if name == WRONG)
    wrong = max(wrong, len(terminalreporter.getreports("failed")) + len(terminalreporter.getreports("error")))
    if killed:
        order = ["opening", *STEPS, "between"]
        steps = ", ".join(f"{step} {killed.pop(step)}" for step in order if step in killed)
        steps = ", ".join(filter(None, [steps, *(f"{step} {count}" for step, count in sorted(killed.items()))]))
        total = sum(int(word.rpartition(" ")[2]) for word in steps.split(", "))
        seconds = time.perf_counter() - _BEGAN
        for value in found:
            terminalreporter.write_line(f"the daemon found a killed run within {value} s")
        told = f"{total} processes killed ({steps}), {wrong} wrong"
        terminalreporter.write_line(f"make kill: {told}, in {seconds:,.0f} s")
