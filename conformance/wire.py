"""The transport between the connector and the server: passes calls on, notes them, and plays the faults asked for.

Faults are played on the way to any real server: an answer given in its place, an answer lost after the server took the
call, a smaller page than was asked for, and something that happens just before a write. Knows no vendor: what is a
write, and how a page is asked for, the hands may say (`KnowsWrites`, `Hands.few`).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from conformance.verdicts import NotShown

_READS_BY_POST = (
    "search", "batch/read", "batch-retrieve", "bulk-retrieve", "token/status", "access-token-info", "search_read",
    "search_count", "read_group", "/read", "fields_get",
)
IsWrite = Callable[[httpx.Request], bool]
Note = Callable[[httpx.Request, bool], None]
"""Told of a call, and whether it is answered here, in the server's place."""
Rewrite = Callable[[httpx.Request], httpx.Request]


@dataclass(frozen=True, slots=True)
class Sent:
    """One call as it left. Path and query may hold an address: they are compared, never shown."""

    method: str
    path: str
    query: bytes
    content: bytes
    is_write: bool


def is_write(request: httpx.Request) -> bool:
    """Whether a call changes something, by method and path; a GraphQL document says so itself."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return False
    if request.method != "POST":
        return True
    if request.url.path.endswith(("graphql.json", "graphql", "-api")):
        return b"mutation" in request.content
    return not request.url.path.endswith(_READS_BY_POST)


def rebuilt(request: httpx.Request, *, url: httpx.URL | None = None, content: bytes | None = None) -> httpx.Request:
    """The same call with another URL or body."""
    headers = [(name, value) for name, value in request.headers.multi_items() if name != "content-length"]
    return httpx.Request(
        request.method, url or request.url, headers=headers,
        content=request.content if content is None else content, extensions=request.extensions,
    )


class Wire(httpx.AsyncBaseTransport):
    """All sessions of a bench share one; `close` ends it, a session's own end does not.

    `inner` None: the system is no server but a folder, so nothing passes here and no fault can be played.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport | None, is_write: IsWrite = is_write) -> None:
        self._inner = inner
        self.is_write = is_write
        self.sent: list[Sent] = []
        self._canned: deque[httpx.Response] = deque()
        self._note: Note | None = None
        self._rewrite: Rewrite | None = None
        self._loses = False
        self._before_write: Callable[[], Awaitable[None]] | None = None
        self._gate = asyncio.Lock()
        self.lost = 0

    def need_http(self) -> httpx.AsyncBaseTransport:
        """What carries the calls; NotShown where there are none."""
        if self._inner is None:
            raise NotShown("no HTTP: files are read and written, and no fault is played on the way")
        return self._inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a call on, with whatever fault is being played."""
        inner = self.need_http()
        await request.aread()
        writes = self.is_write(request)
        if writes and self._before_write is not None:
            hook, self._before_write = self._before_write, None
            await hook()
        if self._note is not None:
            self._note(request, bool(self._canned))
        if self._canned:
            response = self._canned.popleft()
            response.request = request
            return response
        if self._rewrite is not None:
            request = self._rewrite(request)
        self.sent.append(Sent(request.method, request.url.path, request.url.query, request.content, writes))
        response = await inner.handle_async_request(request)
        if writes and self._loses:
            self._loses = False
            await response.aread()
            self.lost += 1
            raise httpx.ReadError("the answer was lost on purpose", request=request)
        return response

    @contextmanager
    def answering(self, *responses: httpx.Response) -> Iterator[None]:
        """The next calls get these answers, without the server."""
        self.need_http()
        self._canned.extend(responses)
        try:
            yield
        finally:
            self._canned.clear()

    @contextmanager
    def noting(self, note: Note) -> Iterator[None]:
        """`note` is told of every call before it leaves."""
        self.need_http()
        self._note = note
        try:
            yield
        finally:
            self._note = None

    @contextmanager
    def rewriting(self, rewrite: Rewrite) -> Iterator[None]:
        """Every call goes out as `rewrite` makes it."""
        self.need_http()
        self._rewrite = rewrite
        try:
            yield
        finally:
            self._rewrite = None

    @contextmanager
    def losing(self) -> Iterator[None]:
        """The answer to the next write is lost after the server has taken it."""
        self.need_http()
        self._loses = True
        try:
            yield
        finally:
            self._loses = False

    @contextmanager
    def before_write(self, hook: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """`hook` runs once, just before the next write leaves."""
        self.need_http()
        self._before_write = hook
        try:
            yield
        finally:
            self._before_write = None

    def writes_since(self, mark: int) -> list[Sent]:
        """The writes that left after `mark` calls had."""
        self.need_http()
        return [sent for sent in self.sent[mark:] if sent.is_write]

    async def close(self) -> None:
        """End the connections."""
        if self._inner is not None:
            await self._inner.aclose()

    async def aclose(self) -> None:
        """A session's end: the others go on."""
