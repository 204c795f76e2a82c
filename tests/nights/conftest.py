"""Estates that many tests begin from: made once, copied for each test, never changed themselves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import resources.closing
from resources.means import Means
from sandbox.world.settings import DayRates, WorldSettings
from tests.conftest import played_once
from tests.nights import harness
from tests.nights.harness import Night, PlayedEstate

SIZE = WorldSettings(seed=11, variants=90, persons=240, shops=2)
MANY_OPT_OUTS = DayRates(opt_outs=(0.0, 16))
"""Enough that each system hears of some, whichever is away."""


@pytest.fixture(scope="package", autouse=True)
def whole() -> Iterator[Callable[[pytest.MonkeyPatch], None]]:
    """Leaves out what takes a second a night and decides nothing here: suites of Great Expectations, charts.

    What it gives sets both back, and dlt, for a test that wants its nights whole. It ends with this package: others run
    after it in the same process, and need both.
    """
    from pipelines.check import suites

    real = suites.run_suites, resources.closing.write_report

    def set_back(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(suites, "run_suites", real[0])
        patch.setattr(resources.closing, "write_report", real[1])
        patch.setattr(harness, "MEANS", Means())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suites, "run_suites", lambda con, checks: [])
        patch.setattr(resources.closing, "write_report", lambda con, night_id, folder: folder / night_id)
        yield set_back


@pytest.fixture(scope="session")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> PlayedEstate:
    """After its first night."""

    def play(folder: Path) -> tuple[PlayedEstate, str]:
        played = PlayedEstate.made(folder, SIZE)
        return played, played.night("adopt").status

    played, status = played_once(tmp_path_factory, "adopted", play)
    assert status == "complete"
    return played


@pytest.fixture(scope="session")
def lived(adopted: PlayedEstate, tmp_path_factory: pytest.TempPathFactory) -> PlayedEstate:
    """One day later, with planted drift of every class, before the night."""
    played = adopted.copied(tmp_path_factory.mktemp("nights") / "lived")
    played.day(MANY_OPT_OUTS)
    return played


@pytest.fixture(scope="session")
def second(lived: PlayedEstate, tmp_path_factory: pytest.TempPathFactory) -> tuple[PlayedEstate, Night]:
    """After the night that followed that day, and that night."""

    def play(folder: Path) -> tuple[PlayedEstate, Night]:
        played = lived.copied(folder)
        return played, played.night()

    return played_once(tmp_path_factory, "second", play)
