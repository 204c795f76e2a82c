"""Rows of a table that has been written over: the youngest is found, however the file was filled before."""

from pathlib import Path
from typing import Any

import duckdb  # noqa: TID251 (what it does by itself is the question)
import pytest

from pipelines.duck import LEFT_OUT, connect
from resources.copies import open_copy
from resources.warehouse import open_warehouse

KEY = b"a key"
YOUNGEST = "SELECT t.number FROM ledger.main.t AS t ORDER BY t.number DESC LIMIT 1"


def write_over(con: duckdb.DuckDBPyConnection) -> None:
    """Two row groups: of the first an old row is left, and it has had greater ones; the 7 is in the other."""
    con.execute("CREATE OR REPLACE TABLE ledger.main.t AS SELECT range AS number FROM range(130000)")
    con.execute("CHECKPOINT ledger")
    con.execute("DELETE FROM ledger.main.t WHERE number <> 5")
    con.execute("INSERT INTO ledger.main.t VALUES (7)")


def youngest(con: duckdb.DuckDBPyConnection) -> Any:
    return con.execute(YOUNGEST).fetchall()[0][0]


def test_the_warehouse_and_its_copy_find_the_youngest_row(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, contact_key=KEY) as con:
        write_over(con)
        assert youngest(con) == 7
        assert youngest(con.cursor()) == 7, "Splink works on a cursor"
    with open_copy(tmp_path / "ledger.duckdb") as con:
        assert youngest(con) == 7


def test_what_is_left_out_is_what_does_not_find_it(tmp_path: Path) -> None:
    """When this fails DuckDB has been mended, and `pipelines.duck` may go."""
    found = {}
    for name, config in (("all of it", {}), ("ours", {"disabled_optimizers": LEFT_OUT})):
        with duckdb.connect(config=config) as con:  # noqa: TID251
            con.execute("ATTACH ? AS ledger", [str(tmp_path / name)])
            write_over(con)
            found[name] = youngest(con)
    assert found == {"all of it": 5, "ours": 7}


@pytest.mark.parametrize("settings", [{}, {"threads": 1}])
def test_a_setting_more_takes_nothing_away(settings: dict[str, Any]) -> None:
    with connect(**settings) as con:
        row = con.execute("SELECT current_setting('disabled_optimizers')").fetchall()
    assert row == [(LEFT_OUT,)]
