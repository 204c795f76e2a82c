"""The way between the pipeline and the vendors' apps: every call takes some of the virtual time, and may go wrong.

One `Wire` a run (a process of the pipeline), one `Line` a system on it. What goes wrong is asked of the faults, call
by call; the vendors' side of it happens under a lock, since a vendor takes one call after the other.
"""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx

from sandbox.store import Store
from tests.simulation.loop import Time
from tests.simulation.trace import Trace, digest

ORIGIN = "http://sandbox.test"


class Killed(BaseException):
    """The process died here; whatever it still tries is not done."""


class Undo(Exception):
    """Takes back what a vendor did with a call."""


@dataclass(slots=True)
class Call:
    """One call on its way."""

    number: int
    system: str
    method: str
    path: str
    query: str
    body: bytes
    run: int
    is_write: bool
    fault: str = ""
    """What was done to it; several are joined by +."""
    effects: tuple[int, int] = (0, 0)
    """The log's last number before the vendor took the call, and after."""
    known: int = 0
    """The log's last number when the run last got an answer from this system that was true at its time."""

    def suffer(self, fault: str) -> None:
        """Note a fault."""
        self.fault = f"{self.fault}+{fault}" if self.fault else fault


class Faults(Protocol):
    """What may happen to a call; each hook may raise, wait, or change what it is given."""

    async def before(self, wire: "Wire", call: Call, request: httpx.Request) -> httpx.Response | None:
        """On the way there; an answer here is one that no vendor gave."""
        ...

    async def deliver(self, wire: "Wire", call: Call, take: "Take") -> httpx.Response:
        """At the vendor; `take` is what lets it act."""
        ...

    async def after(self, wire: "Wire", call: Call, answer: httpx.Response) -> httpx.Response:
        """On the way back."""
        ...


Take = Callable[[], Any]


def writes(system: str, path: str, body: bytes) -> bool:
    """Whether a call asks for a change."""
    if system == "shopify":
        query = body.partition(b'"query":"')[2][:400] if body else b""
        return query.lstrip().startswith(b"mutation") and b"bulkOperationRunQuery" not in query
    if system == "square":
        return any(word in path for word in ("batch-upsert", "batch-create", "bulk-update"))
    if system == "hubspot":
        return any(word in path for word in ("batch/update", "unsubscribe", "batch/create", "batch/archive"))
    return bool(body) and "/search" not in path


@dataclass(slots=True)
class Wire:
    """All calls of one run of the pipeline."""

    app: Any
    store: Store
    time: Time
    trace: Trace
    dice: random.Random
    faults: Faults
    run: int
    longest: float = 0.4
    calls: list[Call] = field(default_factory=list)
    is_dead: bool = False
    moments: int = 0
    """How often the clock was asked and a call moved: the places where a process may die."""
    dies_at: int = 0
    on_death: Callable[[], None] = lambda: None
    told_at: datetime | None = None
    """When the last of its reading was over."""
    seen: dict[str, int] = field(default_factory=dict)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ports: dict[str, httpx.AsyncBaseTransport] = field(default_factory=dict)

    def line(self, system: str) -> "Line":
        """The transport to one system."""
        return Line(self, system)

    def moment(self) -> None:
        """A place where the process may die, or is dead already."""
        if self.is_dead:
            raise Killed
        self.moments += 1
        if self.moments == self.dies_at:
            self.die()

    def die(self) -> None:
        """Die now: what lies on the disk is what is left."""
        self.is_dead = True
        self.trace.note(self.time.now(), "killed", run=self.run, moment=self.moments)
        self.on_death()
        raise Killed

    def latest(self) -> int:
        """The last number of the systems' own log."""
        row = self.store._db.execute("SELECT coalesce(max(seq), 0) FROM effects").fetchone()
        return int(row[0])

    async def pass_on(self, request: httpx.Request) -> httpx.Response:
        """Let the vendor have it."""
        port = self._ports.setdefault("all", httpx.ASGITransport(app=self.app))
        response = await port.handle_async_request(request)
        body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    async def wait(self) -> None:
        """The time that something takes on the way."""
        await asyncio.sleep(self.dice.uniform(0.001, self.longest))


class Line(httpx.AsyncBaseTransport):
    """The transport to one system."""

    def __init__(self, wire: Wire, system: str) -> None:
        self._wire, self._system = wire, system

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wire = self._wire
        wire.moment()
        body = await request.aread()
        path, query = request.url.path, request.url.query.decode()
        call = Call(
            len(wire.calls) + 1, self._system, request.method, path, query, body, wire.run,
            writes(self._system, path, body), known=wire.seen.get(self._system, 0),
        )
        wire.calls.append(call)
        status, got = "lost", ""
        try:
            answer = await self._carry(call, request)
            status, got = str(answer.status_code), digest(answer.content)
            return answer
        except httpx.TransportError as error:
            status = type(error).__name__
            raise
        finally:
            if not wire.is_dead:
                wire.trace.note(
                    wire.time.now(), "call", n=call.number, run=wire.run, to=f"{call.system} {call.method} {path}",
                    query=query, sent=digest(body), status=status, got=got, fault=call.fault,
                )

    async def _carry(self, call: Call, request: httpx.Request) -> httpx.Response:
        wire = self._wire
        await wire.wait()
        wire.moment()
        if (refusal := await wire.faults.before(wire, call, request)) is not None:
            return refusal
        async with wire._busy:
            before = wire.latest()
            answer = await wire.faults.deliver(wire, call, lambda: wire.pass_on(_again(request, call.body)))
            call.effects = before, wire.latest()
        wire.moment()
        await wire.wait()
        answer = await wire.faults.after(wire, call, answer)
        wire.moment()
        if "late" not in call.fault:
            wire.seen[call.system] = call.effects[1]
        return answer


def _again(request: httpx.Request, body: bytes) -> httpx.Request:
    """The same request, with its body at hand again."""
    headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
    return httpx.Request(request.method, request.url, headers=headers, content=body, extensions=request.extensions)


def refusal(status: int, words: str, *, retry_after: float | None = None) -> httpx.Response:
    """An answer of what stands before a vendor: a gateway, a limiter."""
    headers = {"content-type": "application/json"}
    if retry_after is not None:
        headers["retry-after"] = str(round(retry_after))
    return httpx.Response(status, headers=headers, content=json.dumps({"error": words}).encode())


@dataclass(slots=True)
class Clear:
    """Nothing goes wrong."""

    async def before(self, wire: Wire, call: Call, request: httpx.Request) -> httpx.Response | None:
        return None

    async def deliver(self, wire: Wire, call: Call, take: Take) -> httpx.Response:
        return await take()

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        return answer


def hours(count: float) -> timedelta:
    """A span."""
    return timedelta(hours=count)
