"""What tests of a channel share: the sandbox in process, one clock for both sides, specs, reads loaded and staged.

Time stands on the world's clock, which only moves by `sleep`, so a wait costs nothing and both sides see the same.
"""

import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from pipelines.channels.base import Channel, Connection, Page, RawRow, Window
from pipelines.http import Session
from pipelines.model import Correction
from pipelines.stage import stage_system
from sandbox.store import Store, parse_stamp
from sandbox.vendor import Settings, Vendor
from tests.described.openapi import Mismatch
from tests.described.vendors import Description, described

EPOCH = datetime(2026, 6, 14, 20, tzinfo=UTC)


class StillStore(Store):
    """A world whose clock moves only when it is told to."""

    def now(self) -> datetime:
        return parse_stamp(self.fact("now") or "")


@dataclass
class WorldClock:
    """The pipeline's clock, which is the world's."""

    store: Store
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.store.now()

    def monotonic(self) -> float:
        return self.store.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.store.set_now(self.store.now() + timedelta(seconds=seconds, milliseconds=1))


class Watched(httpx.AsyncBaseTransport):
    """Keeps every exchange, holds it against the vendor's description, and answers in the sandbox's place at will."""

    def __init__(self, app: Any, description: Description | None = None) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self._description = description
        self._deviations: list[str] | None = None
        self.exchanges: list[tuple[httpx.Request, httpx.Response]] = []
        self.answers: list[httpx.Response | Exception] = []
        """Given instead of the sandbox's, first come first served."""
        self.checked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        answer = httpx.Response(response.status_code, headers=response.headers, content=body)
        await request.aread()
        self.exchanges.append((request, answer))
        self.hold(request, answer)
        return answer

    def hold(self, request: httpx.Request, answer: httpx.Response) -> None:
        """Mismatch for an exchange that is not as the vendor describes it, unless it is meant to deviate."""
        if self._description is None:
            return
        try:
            self._description.check(request, answer)
            self.checked += 1
        except Mismatch as mismatch:
            if self._deviations is None:
                raise
            self._deviations.append(str(mismatch))

    @contextmanager
    def deviating(self, why: str) -> Iterator[None]:
        """Exchanges that are not as the vendor describes them, on purpose; it is a failure if all of them are."""
        self._deviations = []
        try:
            yield
            if self._description is not None:
                assert self._deviations, f"nothing deviates: {why}"
        finally:
            self._deviations = None

    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request, _ in self.exchanges]


@dataclass
class Outside:
    """One vendor's sandbox, and the channel's session to it."""

    store: Store
    vendor: Vendor
    channel: Channel
    transport: Watched
    session: Session
    clock: WorldClock

    async def pages(self, endpoint: str, since: datetime | None = None) -> list[Page]:
        """All pages of one read."""
        found = next(e for e in self.channel.endpoints if e.name == endpoint)
        return [page async for page in _read(found.read(self.session, Window(since, self.clock.now())))]

    async def rows(self, endpoint: str, since: datetime | None = None) -> list[RawRow]:
        """All rows of one read; an id that comes twice is a failure."""
        rows = [row for page in await self.pages(endpoint, since) for row in page.rows]
        assert len({row.id for row in rows}) == len(rows), "a record came twice"
        return rows

    async def counted(self, endpoint: str) -> int:
        """How many records of one read there are, by the vendor's own count."""
        found = next(e for e in self.channel.endpoints if e.name == endpoint)
        assert found.count is not None, f"{endpoint} has no count"
        return await found.count(self.session)

    async def stage(self, con: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """A census of every endpoint, loaded and staged."""
        name = self.channel.name
        con.execute(f"CREATE SCHEMA IF NOT EXISTS raw_{name}")
        for endpoint in self.channel.endpoints:
            rows = await self.rows(endpoint.name)
            con.execute(
                f"CREATE OR REPLACE TABLE raw_{name}.{endpoint.name} "
                "(id VARCHAR, updated_at VARCHAR, payload VARCHAR, read_at TIMESTAMPTZ)"
            )
            if rows:
                con.executemany(
                    f"INSERT INTO raw_{name}.{endpoint.name} VALUES (?, ?, ?, ?)",
                    [[row.id, row.updated_at, row.payload.decode(), self.clock.now()] for row in rows],
                )
        return stage_system(con, name)

    def correction(self, entity: str, field: str, vendor_id: str, desired: str | None, **rest: Any) -> Correction:
        """A correction as push hands it to a writer."""
        sub, observed = rest.pop("sub", ""), rest.pop("observed", None)
        key = f"{entity}.{field}.{vendor_id}.{sub}.{desired}"
        return Correction(
            key, "plan-1", self.channel.name, entity, field, vendor_id, sub, "subject", "", observed, desired, **rest
        )

    def writer(self, entity: str) -> Any:
        """`write(corrections)` of one entity."""
        found = next(w for w in self.channel.writers if w.entity == entity)

        async def write(corrections: Sequence[Correction]) -> Any:
            assert len(corrections) <= found.batch_max
            return await found.write(self.session, corrections, "key-1")

        return write

    async def read_back(self, entity: str, corrections: Sequence[Correction]) -> Any:
        """The present values of corrections."""
        found = next(r for r in self.channel.read_backs if r.entity == entity)
        return await found.read(self.session, corrections)

    def api_effects(self) -> list[dict[str, Any]]:
        """What the API changed so far."""
        return self.store.effects(origin="api")


async def _read(pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
    async for page in pages:
        yield page


def outside(
    vendor: Vendor, channel: Channel, secret: str, *, settings: Settings | None = None, token: str = "sandbox",
    options: dict[str, str] | None = None, base: str = "http://sandbox",
) -> Outside:
    """A fresh world of one vendor at EPOCH, empty of places and records; all is held against the vendor's words."""
    store = StillStore(":memory:", epoch=EPOCH)
    app = Starlette(routes=[Mount(f"/{vendor.name}", vendor.app(store, settings or Settings()))])
    transport, clock = Watched(app, described(vendor.name)), WorldClock(store)
    secrets = dict.fromkeys((secret, *channel.secrets), token)
    connection = Connection(f"{base}/{vendor.name}", secrets, options or {}, clock, transport)
    return Outside(store, vendor, channel, transport, channel.connect(connection), clock)


@contextmanager
def served(app: Any, *, says_date: bool = True) -> Iterator[str]:
    """An ASGI app on a free port of loopback, ended with the block. `says_date`: the server's own, not the app's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            ready.set()

    server = Server(uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", lifespan="off", date_header=says_date
    ))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert ready.wait(10), "the server did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
