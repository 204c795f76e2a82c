"""Reading by bulk operation: start it, wait for it, take its JSONL file apart by lines.

A bulk query costs no points however much it reads, so censuses go this way. A file with another number of lines than
the vendor counted raises: a short read never looks like a small shop. Lines of nested records name their parent in
`__parentId` and come in no promised order.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import msgspec

from pipelines.answers import MAX_BODY_BYTES
from pipelines.channels.base import Page, RawRow
from pipelines.channels.shopify.documents import read_document
from pipelines.channels.shopify.session import SYSTEM, ShopifySession, ask
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.readable import readable

PATIENCE_SECONDS = 2 * 3600.0
"""How long a job is waited for; the option `bulk_patience_seconds` says otherwise."""
_FIRST_WAIT, _LAST_WAIT, _BUSY_WAIT = 0.25, 10.0, 5.0
_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
_UNDER_WAY = frozenset({"CREATED", "RUNNING"})

RowOf = Callable[[bytes], RawRow | None]
"""A raw row from a line; None for a line that is not wanted."""


class _UserError(msgspec.Struct):
    message: str
    code: str | None = None


class _Started(msgspec.Struct):
    id: str


class _Payload(msgspec.Struct, rename="camel"):
    user_errors: list[_UserError]
    bulk_operation: _Started | None = None


class _Run(msgspec.Struct, rename="camel"):
    bulk_operation_run_query: _Payload


class _Job(msgspec.Struct, rename="camel"):
    status: str
    object_count: str
    root_object_count: str
    error_code: str | None = None
    url: str | None = None


class _Status(msgspec.Struct):
    node: _Job | None


@dataclass(frozen=True, slots=True)
class BulkFile:
    """A finished job's result."""

    url: str | None
    """None when nothing was found."""
    lines: int
    roots: int


async def run_bulk(session: Session, query: str) -> BulkFile:
    """Run a bulk query to its end. FatalChannelError when it fails or takes longer than is waited for."""
    patience = float(session.options.get("bulk_patience_seconds", PATIENCE_SECONDS))
    until = session.clock.monotonic() + patience
    job = await _start(session, query, until)
    wait = _FIRST_WAIT
    while True:
        found, _ = await ask(session, read_document("bulk_status"), {"id": job}, _Status)
        if found.node is None:
            raise FatalChannelError("the bulk operation vanished", system=SYSTEM, key=job)
        if found.node.status == "COMPLETED":
            return BulkFile(found.node.url, int(found.node.object_count), int(found.node.root_object_count))
        if found.node.status not in _UNDER_WAY:
            code = found.node.error_code or found.node.status
            raise FatalChannelError("the bulk operation failed", system=SYSTEM, key=job, code=code)
        await _wait(session, wait, until, "the bulk operation takes too long")
        wait = min(2 * wait, _LAST_WAIT)


async def _start(session: Session, query: str, until: float) -> str:
    while True:
        found, _ = await ask(session, read_document("bulk_run"), {"query": query}, _Run)
        payload = found.bulk_operation_run_query
        if payload.bulk_operation is not None:
            return payload.bulk_operation.id
        codes = {error.code or "" for error in payload.user_errors}
        if not codes & _BUSY:
            message = payload.user_errors[0].message if payload.user_errors else "no bulk operation"
            raise FatalChannelError(f"bulk query refused: {message[:200]}", system=SYSTEM, code=min(codes, default=""))
        await _wait(session, _BUSY_WAIT, until, "other bulk operations take too long")


async def _wait(session: Session, seconds: float, until: float, message: str) -> None:
    if session.clock.monotonic() + seconds > until:
        raise FatalChannelError(message, system=SYSTEM)
    await session.clock.sleep(seconds)


async def bulk_pages(
    session: Session, query: str, row_of: RowOf, *, only_children: bool = False, is_partial: bool = False
) -> AsyncIterator[Page]:
    """The rows of a bulk query, a piece of the file at a time. `only_children`: root lines make no rows.

    The declared total is the vendor's count, unless `is_partial`: other rows of the same read follow. An empty result
    is one page that says so.
    """
    file = await run_bulk(session, query)
    total = file.lines - file.roots if only_children else file.lines
    seen = 0
    async for lines in _lines(session, file):
        seen += len(lines)
        if seen > file.lines:
            raise FatalChannelError(f"more than the {file.lines} lines that the bulk file is to have", system=SYSTEM)
        rows = [row for row in map(row_of, lines) if row is not None]
        if rows:
            yield Page(rows, None if is_partial else total)
    if seen != file.lines:
        raise FatalChannelError(f"{seen} lines of {file.lines} in the bulk file", system=SYSTEM)
    if not total:
        yield Page((), 0)


async def _lines(session: Session, file: BulkFile) -> AsyncIterator[list[bytes]]:
    if file.url is None:
        return
    if not isinstance(session, ShopifySession):
        raise TypeError("bulk files need the session that `connect` makes")
    rest = b""
    async for chunk in session.download(file.url):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_BODY_BYTES:
            raise FatalChannelError(f"a line of the bulk file has more than {MAX_BODY_BYTES} bytes", system=SYSTEM)
        if lines := [readable(line, system=SYSTEM) for line in whole if line]:
            yield lines
    if rest:
        yield [readable(rest, system=SYSTEM)]
