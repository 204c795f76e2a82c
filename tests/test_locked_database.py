"""No SQL of ours or of anybody reaches a file or the network: access is off, and no setting turns it on again.

The warehouse as a run opens it, and the copy as questions open it: the connection, its cursors, and what dlt is given.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from resources.warehouse import open_copy, open_warehouse

Opened = Callable[[], "contextmanager[duckdb.DuckDBPyConnection]"]
KEY = b"the tests' own key"
REFUSED = re.compile(
    "Permission Error|disabled (by|through) configuration|configuration has been locked|while database is running|"
    "when enable_external_access is disabled"
)

FILES = (
    "COPY (SELECT 1) TO '{out}/x.csv'", "COPY (SELECT 1) TO '{out}/x.parquet' (FORMAT parquet)",
    "SELECT * FROM read_text('{secret}')", "SELECT * FROM read_blob('{secret}')", "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM '{secret}'", "SELECT * FROM glob('{out}/*')", "ATTACH '{out}/x.duckdb' AS stolen",
    "EXPORT DATABASE '{out}/all'", "CREATE TABLE t AS FROM read_json('{secret}')",
)
NETWORK = (
    "INSTALL httpfs", "LOAD httpfs", "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "ATTACH 'http://127.0.0.1:9/x.duckdb' AS far",
)
SETTINGS = (
    "SET enable_external_access = true", "SET GLOBAL enable_external_access = true", "RESET enable_external_access",
    "SET allowed_directories = ['/']", "SET allowed_paths = ['{secret}']", "SET allow_unsigned_extensions = true",
    "SET temp_directory = '{out}'", "SET log_query_path = '{out}/log'",
)
"""What would open a way."""
THE_REST = (
    "SET lock_configuration = false", "RESET lock_configuration", "SET allowed_configs = ['threads']",
    "SET autoinstall_known_extensions = true", "SET extension_directory = '{out}'", "SET secret_directory = '{out}'",
    "SET home_directory = '{out}'", "SET threads = 64", "SET memory_limit = '100GB'", "SET TimeZone = 'Asia/Tokyo'",
    "PRAGMA enable_profiling",
)
"""What opens none; refused where dlt is not at work, which sets a thing or two on the warehouse's connection."""


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, Path]:
    """The warehouse's folder, a folder outside of it, and a file there that must not be read."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "outside").mkdir()
    secret = folder / "outside" / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    with open_warehouse(folder / "home", contact_key=KEY):
        pass
    return {"home": folder / "home", "out": folder / "outside", "secret": secret}


@pytest.fixture(scope="module", params=["the warehouse", "a cursor of it", "the copy", "the copy with macros"])
def con(request, places) -> Iterator[duckdb.DuckDBPyConnection]:
    """Each of the connections that SQL runs on."""
    home = places["home"]
    if "copy" in request.param:
        with open_copy(home / "ledger.duckdb", contact_key=KEY if "macros" in request.param else None) as opened:
            yield opened
    else:
        with open_warehouse(home, contact_key=KEY, threads=1) as opened:
            yield opened.cursor() if "cursor" in request.param else opened


@pytest.mark.parametrize("sql", [*FILES, *NETWORK, *SETTINGS])
def test_it_is_refused(con, places, sql):
    before = sorted(places["out"].iterdir())
    with pytest.raises(duckdb.Error, match=REFUSED):
        con.execute(sql.format(**places)).fetchall()
    assert sorted(places["out"].iterdir()) == before


@pytest.mark.parametrize("sql", THE_REST)
def test_no_setting_of_the_copy_can_be_changed(places, sql):
    with open_copy(places["home"] / "ledger.duckdb") as con, pytest.raises(duckdb.Error, match=REFUSED):
        con.execute(sql.format(**places))


def test_settings_that_can_be_changed_open_no_way(places, tmp_path):
    """The warehouse's own: all of them set, and files and extensions are out of reach as before."""
    with open_warehouse(tmp_path, contact_key=KEY) as con:
        for sql in THE_REST[:-1]:
            con.execute(sql.format(**places))
        for sql in (*FILES, *NETWORK):
            with pytest.raises(duckdb.Error, match=REFUSED):
                con.execute(sql.format(**places)).fetchall()
    assert [path.name for path in places["out"].iterdir()] == ["secret.csv"]


def test_what_questions_need_goes_on(con):
    """Or the refusals above would tell nothing."""
    con.execute("SET VARIABLE x = 1")
    con.execute("USE ledger")
    assert con.execute("SELECT getvariable('x')").fetchall() == [(1,)]
