"""Fixtures that every test may use: the shared material outside the repository, a warehouse, copies of estates."""

import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, TypeVar

import duckdb
import pytest
from filelock import FileLock

from pipelines import ledger, sql
from pipelines.macros import load_key
from pipelines.stage import create_unions
from tests.described.vendors import ABSENT, FOLDER

if TYPE_CHECKING:  # most tests play no estate, and need not wait for what plays one
    from tests.nights.harness import PlayedEstate

ROOT = Path(__file__).parents[1]
KEY = b"the tests' own key"
Left = TypeVar("Left")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with the vendors' specs; skips without it, fails under REQUIRE_SHARED=1."""
    if not FOLDER.is_dir():
        if os.environ.get("REQUIRE_SHARED") == "1":
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)
    return FOLDER.parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says that no exchange was held against a vendor's description, where none is at hand."""
    if not FOLDER.is_dir():
        terminalreporter.write_line(f"{ABSENT}. No exchange with the sandbox was held against a description.")


@cache
def _templates() -> TemporaryDirectory:
    """A warehouse as a night finds it, made once for this process; what is opened are copies, which cost a tenth."""
    folder = TemporaryDirectory(prefix="trueup-tests-")
    with _opened(Path(folder.name)) as con:
        sql.load_macros(con, contact_key=KEY)
        ledger.migrate(con)
        create_unions(con)
    return folder


def _opened(folder: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(folder / "work.duckdb", config={"threads": 2})
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"ATTACH '{folder / 'ledger.duckdb'}' AS ledger")
    return con


def open_warehouse() -> duckdb.DuckDBPyConnection:
    """A warehouse as a night finds it: macros, a migrated ledger, every input table empty and typed."""
    templates = Path(_templates().name)
    copy = Path(mkdtemp(dir=templates))
    for file in ("work.duckdb", "ledger.duckdb"):
        shutil.copy(templates / file, copy / file)
    con = _opened(copy)
    load_key(con, KEY)
    return con


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A fresh warehouse."""
    connection = open_warehouse()
    yield connection
    connection.close()


def played_once(
    factory: pytest.TempPathFactory, name: str, play: "Callable[[Path], tuple[PlayedEstate, Left]]"
) -> "tuple[PlayedEstate, Left]":
    """A played estate that the first worker to ask for it makes, and every worker gets a copy of.

    `play` fills the folder it is given, and returns the estate in it and what else tests want to know of how it came
    about (anything that can be pickled).
    """
    from tests.nights.harness import PlayedEstate

    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "played"
    shared.mkdir(exist_ok=True)
    first, mine = shared / name, factory.mktemp("played") / name
    with FileLock(shared / f"{name}.lock"):
        if not (told := shared / f"{name}.pickle").exists():
            estate, left = play(first)
            estate.close()
            told.write_bytes(pickle.dumps(left))
        shutil.copytree(first, mine)
        return PlayedEstate(mine), pickle.loads(told.read_bytes())


@pytest.fixture
def copy(tmp_path: Path) -> Iterator["Callable[[PlayedEstate], PlayedEstate]"]:
    """Copies a played estate for this test alone."""
    made: list[PlayedEstate] = []

    def copied(played: "PlayedEstate") -> "PlayedEstate":
        made.append(played.copied(tmp_path / str(len(made))))
        return made[-1]

    yield copied
    for played in made:
        played.close()
