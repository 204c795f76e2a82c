"""Opens the read copy of the ledger, for questions alone: quick to import, and never in the way of a writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.duck import connect
from pipelines.macros import load_macros


@contextmanager
def open_copy(path: Path, *, contact_key: bytes | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only copy of the ledger (the snapshot) attached as `ledger`, for questions; with a key, the macros too."""
    con = connect(threads=1)
    try:
        con.execute("ATTACH ? AS ledger (READ_ONLY)", [str(path)])
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        if contact_key is not None:
            load_macros(con, contact_key=contact_key)
        yield con
    finally:
        con.close()
