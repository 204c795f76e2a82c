"""The warehouse: where DuckDB files are opened for writing. The read copy is opened in `copies`, nothing elsewhere.

`work.duckdb` (main; may be deleted at any time) with `ledger.duckdb` attached as `ledger` (cannot be rebuilt), in one
connection: macros loaded, ledger migrated, files readable by their owner alone, and no way from SQL to any file
outside the warehouse's own folder.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import ConfigurationError, LeaseHeld
from pipelines.ledger import migrate
from pipelines.macros import load_macros
from pipelines.stage import create_unions
from resources.copies import open_copy as open_copy
from resources.settings import PRIVATE_MASK


@contextmanager
def open_warehouse(
    folder: Path, *, contact_key: bytes, threads: int | None = None, systems: Collection[str] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writing connection, over the tables of the estate's systems (None: of all there are).

    Raises LeaseHeld while another process has the files open.
    """
    os.umask(PRIVATE_MASK)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("work.duckdb", "ledger.duckdb"):
        check_private(folder / name)
    try:
        con = duckdb.connect(str(folder / "work.duckdb"))
        con.execute("ATTACH ? AS ledger", [str(folder / "ledger.duckdb")])
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise LeaseHeld("another process has the warehouse open; wait for its run to end") from error
        raise
    try:
        _settle(con, folder, threads)
        load_macros(con, contact_key=contact_key)
        migrate(con)
        create_unions(con, systems)
        yield con
    finally:
        con.close()


def check_private(path: Path) -> None:
    """ConfigurationError where a data file can be read by others than its owner."""
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"{path} can be read by others; run: chmod go= {path}")


def _settle(con: duckdb.DuckDBPyConnection, folder: Path, threads: int | None) -> None:
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    if threads:
        con.execute("SET threads = ?", [threads])
    con.execute("SET allowed_directories = ?", [[str(folder.resolve())]])
    con.execute("SET enable_external_access = false")
