"""Makes Dagster's SQLite history quick for one run: it opens and closes its files for every event it keeps.

Closing the last connection of a file in WAL mode copies the log into it and waits for the disk, some hundred times a
night. While one more connection is held open nothing is copied, and `synchronous = NORMAL` waits for the disk at
checkpoints only: a power cut may lose the last events of a run's history, never the history itself, and nothing of
the ledger.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def quick_history() -> Iterator[None]:
    """For as long as a run of this process lasts."""
    held: dict[str, sqlite3.Connection] = {}

    def connected(connection: Any, _: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if path and path not in held:
            held[path] = sqlite3.connect(path, check_same_thread=False)
            held[path].execute("PRAGMA schema_version").fetchone()  # a connection holds a file once it has read it

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
        for connection in held.values():
            connection.close()
