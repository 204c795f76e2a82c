"""Adopted worlds of the simulation, made once a session and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulation.estate import SimulatedEstate
from tests.simulation.play import Templates
from tests.simulation.trace import Trace

Lived = Callable[[], SimulatedEstate]
ALL_SYSTEMS = 0
"""The family whose estate has all four."""


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Adopted worlds."""
    return Templates(tmp_path_factory.mktemp("families"))


@pytest.fixture
def lived(templates: Templates, tmp_path: Path) -> Iterator[Lived]:
    """Makes estates that have lived one day since their adoption."""
    made: list[SimulatedEstate] = []

    def lives() -> SimulatedEstate:
        made.append(templates.copy(ALL_SYSTEMS, tmp_path / f"estate_{len(made)}", Trace()))
        made[-1].day()
        return made[-1]

    yield lives
    for estate in made:
        estate.close()
        shutil.rmtree(estate.folder)
