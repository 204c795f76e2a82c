"""Dagster's history of runs in SQLite: made once however many processes are first in a home, and quick for one run.

Dagster opens and closes its files for every event it keeps. Closing the last connection of a file in WAL mode copies
the log into it and waits for the disk, some hundred times a night. While one more connection is held open nothing is
copied, and `synchronous = NORMAL` waits for the disk at checkpoints only: a power cut may lose the last events of a
run's history, never the history itself, and nothing of the ledger.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from sqlalchemy import event
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    import dagster as dg


@contextmanager
def opened(folder: Path) -> "Iterator[dg.DagsterInstance]":
    """The instance of DAGSTER_HOME, which is `folder`.

    One process after the other comes by here: of several that are first in a home each would make the databases and
    write their version down, and with two versions in it Dagster opens none of them ever again.
    """
    import dagster as dg

    with FileLock(folder / "opening.lock"):
        instance = dg.DagsterInstance.get()
    with instance:
        yield instance


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
