"""What tests of files share: a folder in memory, its session on a clock that stands, rows loaded and staged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from pipelines.channels.base import Connection, RawRow, Window
from pipelines.channels.files import FILES
from pipelines.channels.files.session import FilesSession
from pipelines.model import Correction, Outcome, Reading
from pipelines.stage import stage_system

NOW = datetime(2026, 6, 14, 20, tzinfo=UTC)


@dataclass
class StillClock:
    """Moves by sleeping alone."""

    moment: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


class Drops:
    """A folder of drops in memory, and the channel's session over it."""

    def __init__(self, mapping: str, **files: bytes | str) -> None:
        self.memory = MemoryFileSystem(skip_instance_cache=True)
        self.memory.store, self.memory.pseudo_dirs = {}, [""]  # the class's own are shared by everybody
        self.clock = StillClock()
        self.folder = DirFileSystem("/drops", self.memory)
        self.folder.makedirs("", exist_ok=True)
        self.put("mapping.toml", mapping)
        for name, content in files.items():
            self.put(name, content)
        self.open()

    def open(self) -> FilesSession:
        """A new session, as of a new night."""
        connection = Connection("file:///drops", {}, {}, self.clock, self.folder, folder=Path())
        session = FILES.connect(connection)
        assert isinstance(session, FilesSession)
        self.session = session
        return session

    def put(self, name: str, content: bytes | str, *, at: datetime | None = None) -> None:
        """Drop a file, changed an hour ago or at a moment."""
        self.folder.makedirs(str(Path(name).parent), exist_ok=True)
        self.folder.pipe_file(name, content if isinstance(content, bytes) else content.encode())
        held = self.memory.store[f"/drops/{name}"]
        held.created = held.modified = at or NOW - timedelta(hours=1)

    def get(self, name: str) -> bytes:
        """What a file holds."""
        found: bytes = self.folder.cat_file(name)
        return found

    def out(self) -> list[str]:
        """Names of the files for corrections, without hidden ones."""
        if not self.folder.exists("out"):
            return []
        return sorted(Path(entry).name for entry in self.folder.ls("out", detail=False))

    async def rows(self, entity: str) -> list[RawRow]:
        """All rows of one read."""
        endpoint = next(e for e in FILES.endpoints if e.name == entity)
        return [row async for page in endpoint.read(self.session, Window(None, self.clock.now())) for row in page.rows]

    async def stage(self, con: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """A census of every entity, loaded and staged."""
        con.execute("CREATE SCHEMA IF NOT EXISTS raw_files")
        for endpoint in FILES.endpoints:
            con.execute(
                f"CREATE OR REPLACE TABLE raw_files.{endpoint.name} "
                "(id VARCHAR, updated_at VARCHAR, payload VARCHAR, read_at TIMESTAMPTZ)"
            )
            rows = await self.rows(endpoint.name)
            assert len({row.id for row in rows}) == len(rows), "a record came twice"
            if rows:
                con.executemany(
                    f"INSERT INTO raw_files.{endpoint.name} VALUES (?, ?, ?, ?)",
                    [[row.id, row.updated_at, row.payload.decode(), self.clock.now()] for row in rows],
                )
        return stage_system(con, "files")

    async def write(self, corrections: Sequence[Correction], key: str = "k" * 64) -> list[Outcome]:
        """Send corrections of one entity as one batch."""
        writer = next(w for w in FILES.writers if w.entity == corrections[0].entity)
        return await writer.write(self.session, corrections, key)

    async def asked(self, corrections: Sequence[Correction], key: str = "k" * 64) -> list[Outcome]:
        """What became of a batch of one entity whose answer was lost."""
        writer = next(w for w in FILES.writers if w.entity == corrections[0].entity)
        assert writer.asked is not None
        return await writer.asked(self.session, corrections, key)

    async def read_back(self, corrections: Sequence[Correction]) -> list[Reading]:
        """Present values of corrections of one entity."""
        reader = next(r for r in FILES.read_backs if r.entity == corrections[0].entity)
        return await reader.read(self.session, corrections)


def correction(entity: str, name: str, vendor_id: str, desired: str | None, **rest: Any) -> Correction:
    """A correction as push hands it to the writer."""
    sub, table = rest.pop("sub", ""), rest.pop("table", "t")
    context = {"table": table, "digits": 2}
    key = f"{entity}.{name}.{vendor_id}.{sub}.{desired}"
    return Correction(
        key, "2026-06-14.1-main", "files", entity, name, vendor_id, sub, "subject", "", rest.pop("observed", None),
        desired, currency="EUR" if entity == "prices" else None, context=context, **rest,
    )
