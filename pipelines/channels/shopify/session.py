"""How Shopify is reached: token, cost limiter, error model, one way to ask, and downloads of bulk files.

Knows no entity. GraphQL errors come with HTTP 200, so an answer is judged by its body, not by its status alone. Bulk
files lie on another host than the shop: a session of their own fetches them, without the token, from hosts that are
allowed by name.
"""

import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Generic, TypeVar, cast
from urllib.parse import urlsplit

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.shopify.documents import Document, read_document
from pipelines.channels.shopify.limiter import POINTS, CostLimiter, Unlimited, cost_of
from pipelines.clock import Clock
from pipelines.errors import CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Counters, Session, origin

SYSTEM = "shopify"
TOKEN = "TRUEUP_SHOPIFY_TOKEN"
PATH = "admin/api/2026-07/graphql.json"
BULK_HOSTS = frozenset({"storage.googleapis.com"})
"""Where the vendor puts bulk files; the option `bulk_hosts` names others, separated by commas."""
CHUNK_BYTES = 8 * 1024 * 1024
MAX_FILE_BYTES = 16 * 1024 * 1024 * 1024
"""Of one bulk file: twenty million lines of 800 bytes."""
NEEDED_SCOPES = frozenset({
    "read_products", "write_products", "read_inventory", "write_inventory", "read_locations", "read_orders",
    "read_customers", "write_customers", "read_merchant_managed_fulfillment_orders",
})
# From memory, not from the vendor's page: without this scope an app is shown the orders of the last 60 days alone.
OPTIONAL_SCOPES = {"read_all_orders": "orders older than 60 days: their late returns and refunds are not seen"}
MAX_COST_EXCEEDED = "MAX_COST_EXCEEDED"
_MAX_CONNECTIONS = 24
_PASSING = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})

T = TypeVar("T")


class _Envelope(msgspec.Struct, Generic[T]):
    data: T


class _Error(msgspec.Struct):
    message: str = ""
    extensions: dict[str, Any] = {}


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


class _Shop(msgspec.Struct, rename="camel"):
    id: str
    name: str
    iana_timezone: str


class _Scope(msgspec.Struct):
    handle: str


class _Installation(msgspec.Struct, rename="camel"):
    access_scopes: list[_Scope]


class _Identity(msgspec.Struct, rename="camel"):
    shop: _Shop
    current_app_installation: _Installation


class _Files(Session):
    """Fetches bulk files; carries no token."""

    def on(self, url: str, counters: Counters) -> "_Files":
        """The same connections for where this file lies, counting into `counters`."""
        twin = copy.copy(self)
        twin._origin, twin.counters = origin(url), counters
        return twin


class ShopifySession(Session):
    """A session to the shop, with one to its bulk files."""

    def __init__(self, *, files: _Files, file_hosts: frozenset[str], **rest: Any) -> None:
        super().__init__(**rest)
        self._files, self._file_hosts = files, file_hosts

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._files.__aexit__(kind, error, trace)
        await super().__aexit__(kind, error, trace)

    async def download(self, url: str) -> AsyncIterator[bytes]:
        """The bytes of a bulk file, in ranges, so that its size does not matter."""
        parts = urlsplit(url)
        is_safe = parts.scheme in ("https", self._origin[0])
        if not is_safe or (origin(url) != self._origin and parts.hostname not in self._file_hosts):
            raise FatalChannelError("bulk file on a host that is not allowed", system=SYSTEM)
        files = self._files.on(url, self.counters)
        start, total = 0, 1
        while start < total:
            wanted = {"range": f"bytes={start}-{start + CHUNK_BYTES - 1}", "accept-encoding": "identity"}
            answer = await files.call("GET", url, headers=wanted)
            if not answer.body:
                raise FatalChannelError("a bulk file ended early", system=SYSTEM)
            yield answer.body
            start += len(answer.body)
            said = answer.headers.get("content-range", "").rpartition("/")[2]
            total = int(said) if answer.status == 206 and said.isdecimal() else start
            if max(start, total) > MAX_FILE_BYTES:
                raise FatalChannelError(f"a bulk file of more than {MAX_FILE_BYTES} bytes", system=SYSTEM)


def connect(connection: Connection) -> Session:
    """A session; opens nothing. Options: points_per_second (the plan's), bulk_hosts."""
    clock = cast(Clock, connection.clock)
    transport = cast("httpx.AsyncBaseTransport | None", connection.transport)
    named = connection.options.get("bulk_hosts", "").split(",")
    return ShopifySession(
        system=SYSTEM,
        base_url=connection.base_url,
        headers={"X-Shopify-Access-Token": connection.secrets[TOKEN], "Accept": "application/json"},
        limiter=CostLimiter(float(connection.options.get("points_per_second", POINTS)), clock),
        judge=judge,
        clock=clock,
        options=connection.options,
        transport=transport,
        chance=connection.chance,
        max_connections=_MAX_CONNECTIONS,
        files=_Files(
            system=SYSTEM, base_url=connection.base_url, headers={}, limiter=Unlimited(), judge=judge_status,
            clock=clock, transport=transport, timeout_seconds=120, chance=connection.chance,
        ),
        file_hosts=BULK_HOSTS | {host.strip() for host in named if host.strip()},
    )


def judge_status(answer: Answer) -> None:
    """Raise for an HTTP status that is no success."""
    where: dict[str, Any] = {"system": SYSTEM, "request_id": answer.headers.get("x-request-id", "")}
    if answer.status in (200, 206):
        return
    if answer.status in (401, 403):
        raise CredentialError("the token was refused", status=answer.status, **where)
    if answer.status == 429 or answer.status >= 500:
        raise RetriableChannelError(
            f"HTTP {answer.status}", status=answer.status, retry_after=_asked_to_wait(answer), **where
        )
    raise FatalChannelError(f"HTTP {answer.status}", status=answer.status, **where)


def _asked_to_wait(answer: Answer) -> float | None:
    """Retry-After, which this vendor gives in seconds; None where it says nothing."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.replace(".", "", 1).isdecimal() else None


def judge(answer: Answer) -> None:
    """Raise for an answer that is no success: by status, else by the errors in its body."""
    judge_status(answer)
    where: dict[str, Any] = {"system": SYSTEM, "request_id": answer.headers.get("x-request-id", "")}
    try:
        errors = msgspec.json.decode(answer.body, type=_Errors).errors
    except msgspec.DecodeError as error:
        raise FatalChannelError("the answer is not GraphQL", **where) from error
    if not errors:
        return
    codes = {str(error.extensions.get("code", "")) for error in errors}
    code, message = min(codes), errors[0].message.partition("\n")[0][:200]
    if "THROTTLED" in codes:
        raise RetriableChannelError("throttled", code="THROTTLED", retry_after=_seconds_to_wait(answer), **where)
    if "ACCESS_DENIED" in codes:
        raise CredentialError(f"access denied: {message}", code="ACCESS_DENIED", **where)
    if codes & _PASSING:
        raise RetriableChannelError(message, code=code, **where)
    raise FatalChannelError(message, code=code, **where)


def _seconds_to_wait(answer: Answer) -> float:
    """Until the bucket holds what the refused query asks for, by the vendor's own figures."""
    cost = cost_of(answer)
    if cost is None:
        return 1.0
    missing = cost.requested_query_cost - cost.throttle_status.currently_available
    return max(0.1, missing / max(1.0, cost.throttle_status.restore_rate))


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(_Envelope[kind])


async def ask(
    session: Session, document: Document, variables: Mapping[str, Any], kind: type[T], *,
    cost: float | None = None, is_repeatable: bool = True,
) -> tuple[T, str]:
    """An answer's `data` read as `kind`, and the request's id. `cost`: points, where not the document's own."""
    answer = await session.post(
        PATH, {"query": document.text, "variables": dict(variables)}, cost=document.cost if cost is None else cost,
        is_repeatable=is_repeatable,
    )
    request = answer.headers.get("x-request-id", "")
    try:
        data = _decoder(cast(Any, kind)).decode(answer.body).data
    except msgspec.DecodeError as error:
        message = f"unexpected answer to {document.name}: {error}"
        raise FatalChannelError(message, system=SYSTEM, request_id=request) from error
    return cast(T, data), request


class _Nodes(msgspec.Struct, Generic[T]):
    nodes: list[T | None]


async def by_ids(session: Session, document: Document, ids: Sequence[str], kind: type[T]) -> list[T | None]:
    """`nodes` of a document, in the order of the ids; None for what is gone. Its cost is that of one id.

    What the vendor finds too dear for one query is asked in halves.
    """
    shape: Any = _Nodes
    wanted: type[_Nodes[T]] = shape[kind]
    try:
        found, request = await ask(session, document, {"ids": list(ids)}, wanted, cost=document.cost * len(ids))
    except FatalChannelError as error:
        if error.code != MAX_COST_EXCEEDED or len(ids) == 1:
            raise
        middle = len(ids) // 2
        first = await by_ids(session, document, ids[:middle], kind)
        return first + await by_ids(session, document, ids[middle:], kind)
    if len(found.nodes) != len(ids):
        raise FatalChannelError("nodes did not answer for every id", system=SYSTEM, request_id=request)
    return found.nodes


async def identify(session: Session) -> Identity:
    """Shop, time zone and granted scopes."""
    found, _ = await ask(session, read_document("identity"), {}, _Identity)
    scopes = frozenset(scope.handle for scope in found.current_app_installation.access_scopes)
    return Identity(found.shop.id, found.shop.name, found.shop.iana_timezone, scopes)
