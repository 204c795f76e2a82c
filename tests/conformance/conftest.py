"""One small world for all tests of the kit, made once a process: a bench works on a copy of its own."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; read alone."""
    from tests.conformance.stand import make_world  # here: some tests of the kit need no world, nor wait for one

    return make_world(tmp_path_factory.mktemp("conformance") / "world")
