"""The warehouse: where DuckDB files are opened for writing. The read copy is opened in `copies`, nothing elsewhere.

`work.duckdb` (main; may be deleted at any time) with `ledger.duckdb` attached as `ledger` (cannot be rebuilt), in one
connection: macros loaded, ledger migrated, files readable by their owner alone, and no way from SQL to any file
outside the warehouse's own folder.
"""

import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.duck import connect
from pipelines.errors import ConfigurationError, LeaseHeld
from pipelines.ledger import migrate
from pipelines.ledger.plans import unwritten
from pipelines.macros import load_macros
from pipelines.stage import create_unions
from resources.copies import open_copy as open_copy
from resources.private import check_private
from resources.settings import PRIVATE_MASK

PATIENCE_SECONDS = 5.0
"""How long another process's lock is waited for: a shell that asks something is done by then, a run is not."""
_LOCKED = re.compile(
    r'Could not set lock on file "(?P<file>[^"]+)": (?:Conflicting lock is held in (?P<holder>.+? \(PID \d+\)))?'
)


@contextmanager
def open_warehouse(
    folder: Path, *, contact_key: bytes, threads: int | None = None, systems: Collection[str] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one writing connection, over the tables of the estate's systems (None: of all there are).

    Raises, naming the file, LeaseHeld where another process has it open for longer than our patience, and
    ConfigurationError where it cannot be opened or written (R19).
    """
    os.umask(PRIVATE_MASK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be made: {error.strerror}; mend it and run again") from error
    for name in ("work.duckdb", "ledger.duckdb"):
        check_private(folder / name)
    con = _connected(folder, patience_seconds)
    try:
        _settle(con, folder, threads)
        load_macros(con, contact_key=contact_key)
        migrate(con)
        create_unions(con, systems)
        yield con
    finally:
        con.close()


def _connected(folder: Path, patience_seconds: float) -> duckdb.DuckDBPyConnection:
    """Both files open for writing. Another's lock is waited for a while: of the ledger too, once the other is ours."""
    until = time.monotonic() + patience_seconds
    while True:
        try:
            con = connect(str(folder / "work.duckdb"))
            try:
                con.execute("ATTACH ? AS ledger", [str(folder / "ledger.duckdb")])
            except BaseException:
                con.close()
                raise
            return con
        except duckdb.IOException as error:
            locked = _LOCKED.search(str(error))
            if locked is None:
                if words := unwritten(str(error)):
                    raise ConfigurationError(f"{words}; mend it and run again") from error
                raise
            if time.monotonic() >= until:
                holder = locked["holder"] or "another process"
                raise LeaseHeld(
                    f"another process has the warehouse open: {locked['file']} is held by {holder}; wait for its end"
                ) from error
        time.sleep(0.25)  # noqa: TID251 (another process is waited for, which no clock but the real one moves)


def _settle(con: duckdb.DuckDBPyConnection, folder: Path, threads: int | None) -> None:
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    if threads:
        con.execute("SET threads = ?", [threads])
    con.execute("SET allowed_directories = ?", [[str(folder.resolve())]])
    con.execute("SET enable_external_access = false")
    # The configuration cannot be locked as in `copies`: dlt runs a PRAGMA on this connection before each load, which no
    # `allowed_configs` lets through. What opens a way to a file DuckDB refuses by itself once access is off.
