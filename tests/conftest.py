"""Fixtures that every test may use: the shared material outside the repository, a warehouse, copies of estates.

Also the count of the cases that each law was tried on (`tests/law.py`).
"""

import os
import pickle
import shutil
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, TypeVar

import duckdb
import pytest
from filelock import FileLock

from pipelines import ledger, sql
from pipelines.duck import connect
from pipelines.macros import load_key
from pipelines.stage import create_unions
from tests import law
from tests.described.vendors import ABSENT, FOLDER

if TYPE_CHECKING:  # most tests play no estate, and need not wait for what plays one
    from tests.nights.harness import PlayedEstate

ROOT = Path(__file__).parents[1]
KEY = b"the tests' own key"
_BEGAN = time.perf_counter()
Left = TypeVar("Left")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with the vendors' specs; skips without it, fails under REQUIRE_SHARED=1."""
    if not FOLDER.is_dir():
        if os.environ.get("REQUIRE_SHARED") == "1":
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)
    return FOLDER.parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A law tells in how many cases it held; one that was tried in fewer than it should be fails."""
    tally = getattr(getattr(item, "function", None), "tally", None)
    if tally is None:
        return (yield)
    tally.held = 0
    result = yield
    item.user_properties.append((law.PROPERTY, tally.held))
    assert tally.held >= tally.wanted, f"only {tally.held:,} of {tally.wanted:,} cases could be made"
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """Says that no exchange was held against a vendor's description, where none is at hand; tells of many cases."""
    if not FOLDER.is_dir():
        terminalreporter.write_line(f"{ABSENT}. No exchange with the sandbox was held against a description.")
    if law.CASES:
        seconds = time.perf_counter() - _BEGAN
        for line in law.lines(terminalreporter.getreports("passed"), seconds, is_whole=exitstatus == 0):
            terminalreporter.write_line(line)


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
    con = connect(str(folder / "work.duckdb"), threads=2)
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"ATTACH '{folder / 'ledger.duckdb'}' AS ledger")
    return con


def open_warehouse() -> duckdb.DuckDBPyConnection:
    """A warehouse as a night finds it: macros, a migrated ledger, every input table empty and typed.

    Its files go with the connection: thousands of tests open one, and each takes some 10 MB of the disk.
    """
    templates = Path(_templates().name)
    copy = Path(mkdtemp(dir=templates))
    for file in ("work.duckdb", "ledger.duckdb"):
        shutil.copy(templates / file, copy / file)
    con = _opened(copy)
    weakref.finalize(con, shutil.rmtree, copy, ignore_errors=True)
    load_key(con, KEY)
    return con


@pytest.fixture
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with Dagster's settings and nothing else in it, named by the environment, which names nothing more."""
    from cli.home import dagster_home
    from resources.settings import Settings

    for name in [name for name in os.environ if name.startswith(("TRUEUP_", "DAGSTER"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    dagster_home(Settings.read())
    return tmp_path


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
