"""The world's memory: one SQLite file of vendor documents, a clock, idempotency keys and a log of every effect.

One table per (vendor, kind). A document is kept as the JSON text that the vendor's API shows, so a page is a
SELECT and a join of strings. Documents are never cached: another process may let the world live a day meanwhile.
The clock is the world's: it starts at the epoch given to `create`, runs with real time while the server runs, and
jumps when a day is lived.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
CHUNK = 5_000
"""So many documents are held, or written in one transaction, at a time."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS idempotency (
  vendor TEXT, key TEXT, request TEXT, status INTEGER, answer TEXT, at TEXT, PRIMARY KEY (vendor, key));
CREATE TABLE IF NOT EXISTS effects (
  seq INTEGER PRIMARY KEY, at TEXT, vendor TEXT, origin TEXT, operation TEXT, kind TEXT, key TEXT,
  field TEXT, before TEXT, after TEXT, idempotency_key TEXT);
CREATE TABLE IF NOT EXISTS calls (vendor TEXT, operation TEXT, status INTEGER, count INTEGER,
  PRIMARY KEY (vendor, operation, status));
"""


def chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    """Rows in lists of at most CHUNK."""
    source = iter(rows)
    while some := list(islice(source, CHUNK)):
        yield some


@dataclass(frozen=True, slots=True)
class Doc:
    """One stored document. `seq` orders by first insertion; `updated_at` is ISO text with milliseconds, UTC."""

    key: str
    seq: int
    parent: str
    lookup: str
    updated_at: str
    version: int
    deleted: bool
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The document, parsed."""
        return json.loads(self.text)


def stamp(moment: datetime) -> str:
    """ISO text with milliseconds and Z; orders like the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_stamp(text: str) -> datetime:
    """Any ISO moment; a missing zone is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Store:
    """Opens (or makes) the world's file. Safe to use from one event loop and from a second process."""

    def __init__(self, path: Path | str, *, epoch: datetime | None = None) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._lock = threading.RLock()
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;")
        self._db.executescript(_SCHEMA)
        self._tables: set[tuple[str, str]] = set()
        self._indexes_wait = False
        if epoch is not None and self.fact("now") is None:
            self.set_fact("now", stamp(epoch))
        self._started = time.monotonic()
        self._depth = 0

    # -- clock ---------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The world's time: the stored moment plus the real time since this process opened the file."""
        return parse_stamp(self.fact("now") or stamp(datetime(2026, 6, 14, 20, tzinfo=UTC))) + timedelta(
            seconds=time.monotonic() - self._started
        )

    def set_now(self, moment: datetime) -> None:
        """Jump to `moment`; every process sees it."""
        self.set_fact("now", stamp(moment))
        self._started = time.monotonic()

    # -- facts ---------------------------------------------------------------------------------------------

    def fact(self, name: str) -> str | None:
        """A stored setting of the world."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_fact(self, name: str, value: str) -> None:
        """Store a setting of the world."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may nest (the outermost commits)."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._db.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    # -- documents -----------------------------------------------------------------------------------------

    def _table(self, vendor: str, kind: str) -> str:
        name = f"{vendor}_{kind}"
        if not name.replace("_", "").isalnum():
            raise ValueError(f"not a table name: {name}")
        if (vendor, kind) not in self._tables:
            self._db.execute(
                f"CREATE TABLE IF NOT EXISTS {name} (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, parent TEXT, "
                "lookup TEXT, updated_at TEXT, version INTEGER, deleted INTEGER, doc TEXT)"
            )
            self._tables.add((vendor, kind))
            if not self._indexes_wait:
                self._index(name)
        return name

    def _index(self, name: str) -> None:
        for column in ("parent", "lookup", "updated_at"):
            self._db.execute(f"CREATE INDEX IF NOT EXISTS {name}_{column} ON {name} ({column})")

    @contextmanager
    def loading(self) -> Iterator[None]:
        """A transaction that makes a world: new tables get their indexes at its end, sorted instead of row by row."""
        self._db.execute("PRAGMA cache_size=-1000000")  # movements touch counts in no order
        with self.transaction():
            self._indexes_wait = True
            try:
                yield
            finally:
                self._indexes_wait = False
            for vendor, kind in sorted(self._tables):
                self._index(f"{vendor}_{kind}")

    def put(
        self, vendor: str, kind: str, key: str, doc: dict[str, Any] | str, *, updated_at: datetime | str,
        parent: str = "", lookup: str = "", deleted: bool = False,
    ) -> int:
        """Insert or replace a document; its version goes up by one. Returns the version."""
        text = doc if isinstance(doc, str) else json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
        at = updated_at if isinstance(updated_at, str) else stamp(updated_at)
        row = self._db.execute(
            f"INSERT INTO {self._table(vendor, kind)} (key, parent, lookup, updated_at, version, deleted, doc) "
            "VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT (key) DO UPDATE SET parent = excluded.parent, "
            "lookup = excluded.lookup, updated_at = excluded.updated_at, version = version + 1, "
            "deleted = excluded.deleted, doc = excluded.doc RETURNING version",
            (key, parent, lookup, at, int(deleted), text),
        ).fetchone()
        return int(row[0])

    def put_many(self, vendor: str, kind: str, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
        """Bulk load of (key, parent, lookup, updated_at, text); much faster than `put`, same effect."""
        self._db.executemany(
            f"INSERT INTO {self._table(vendor, kind)} (key, parent, lookup, updated_at, version, deleted, doc) "
            "VALUES (?, ?, ?, ?, 1, 0, ?) ON CONFLICT (key) DO UPDATE SET parent = excluded.parent, "
            "lookup = excluded.lookup, updated_at = excluded.updated_at, version = version + 1, "
            "deleted = 0, doc = excluded.doc",
            rows,
        )

    def get(self, vendor: str, kind: str, key: str) -> Doc | None:
        """One document by key, deleted ones included."""
        return next(self._select(vendor, kind, "key = ?", [key], "", 1), None)

    def get_many(self, vendor: str, kind: str, keys: Iterable[str]) -> dict[str, Doc]:
        """Documents by key."""
        wanted = json.dumps(list(keys))
        where = "key IN (SELECT value FROM json_each(?))"
        return {doc.key: doc for doc in self._select(vendor, kind, where, [wanted], "", -1)}

    def page(
        self, vendor: str, kind: str, *, after_seq: int = 0, limit: int = 100, where: str = "",
        args: Iterable[Any] = (), with_deleted: bool = False,
    ) -> list[Doc]:
        """Documents in insertion order after `after_seq`; `where` is SQL over the columns."""
        parts = ["seq > ?", *([] if with_deleted else ["deleted = 0"]), *([where] if where else [])]
        return list(self._select(vendor, kind, " AND ".join(parts), [after_seq, *args], "ORDER BY seq", limit))

    def every(self, vendor: str, kind: str) -> Iterator[Doc]:
        """All documents that are there, in insertion order; few are held at a time."""
        after = 0
        while docs := self.page(vendor, kind, after_seq=after, limit=CHUNK):
            yield from docs
            after = docs[-1].seq

    def select(
        self, vendor: str, kind: str, *, where: str = "1 = 1", args: Iterable[Any] = (), order: str = "seq",
        limit: int = -1, offset: int = 0,
    ) -> Iterator[Doc]:
        """Documents by any condition and order; offset paging for the vendors that have it."""
        return self._select(vendor, kind, where, list(args), f"ORDER BY {order}", limit, offset)

    def count(self, vendor: str, kind: str, where: str = "deleted = 0", args: Iterable[Any] = ()) -> int:
        """How many documents meet a condition."""
        sql = f"SELECT count(*) FROM {self._table(vendor, kind)} WHERE {where}"
        return int(self._db.execute(sql, list(args)).fetchone()[0])

    def _select(
        self, vendor: str, kind: str, where: str, args: list[Any], order: str, limit: int, offset: int = 0
    ) -> Iterator[Doc]:
        sql = (
            "SELECT key, seq, parent, lookup, updated_at, version, deleted, doc "
            f"FROM {self._table(vendor, kind)} WHERE {where} {order} LIMIT ? OFFSET ?"
        )
        for row in self._db.execute(sql, [*args, limit, offset]).fetchall():
            yield Doc(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6]), row[7])

    # -- effects, keys, calls ------------------------------------------------------------------------------

    def effect(
        self, vendor: str, kind: str, key: str, field: str, before: Any, after: Any, *,
        origin: str, operation: str = "", idempotency_key: str = "",
    ) -> None:
        """Log one value changed. `origin` is 'api' or 'world'."""
        self._db.execute(
            "INSERT INTO effects (at, vendor, origin, operation, kind, key, field, before, after, idempotency_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (stamp(self.now()), vendor, origin, operation, kind, key, field,
             None if before is None else str(before), None if after is None else str(after), idempotency_key),
        )

    def effects(self, *, after_seq: int = 0, origin: str | None = None) -> list[dict[str, Any]]:
        """The log, oldest first, as dicts of its columns."""
        cursor = self._db.execute(
            "SELECT * FROM effects WHERE seq > ? AND (? IS NULL OR origin = ?) ORDER BY seq",
            (after_seq, origin, origin),
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def answered(self, vendor: str, key: str) -> tuple[str, int, str] | None:
        """(request fingerprint, status, answer) kept for an idempotency key."""
        row = self._db.execute(
            "SELECT request, status, answer FROM idempotency WHERE vendor = ? AND key = ?", (vendor, key)
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def remember(self, vendor: str, key: str, request: str, status: int, answer: str) -> None:
        """Keep the answer of an idempotency key."""
        self._db.execute(
            "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?)",
            (vendor, key, request, status, answer, stamp(self.now())),
        )

    def called(self, vendor: str, operation: str, status: int) -> None:
        """Count one call."""
        self._db.execute(
            "INSERT INTO calls VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            (vendor, operation, status),
        )

    def close(self) -> None:
        """Store the clock and close the file."""
        self.set_now(self.now())
        self._db.close()
