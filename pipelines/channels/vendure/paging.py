"""Lists by offset, read so that nothing is lost while records come and go: Vendure has no cursor and no filter by id.

Sorted by id, which never changes, each page begins with the last record of the one before. Where it does not, records
before it have gone and others have moved up into pages already read: the page is asked again from further back, until
it begins with one that is known.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.channels.base import Page, RawRow, Window
from pipelines.channels.keys import is_usable
from pipelines.channels.vendure.documents import Document
from pipelines.channels.vendure.options import SYSTEM
from pipelines.channels.vendure.session import ask
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE = 250
"""Vendure gives up to 1,000 a call; larger pages are hardly faster, and hold up the shop for seconds."""
_TICK = timedelta(milliseconds=1)

RowOf = Callable[[msgspec.Raw], RawRow]


class _List(msgspec.Struct):
    total: int = msgspec.field(name="totalItems")
    items: list[msgspec.Raw]


class Rows(msgspec.Struct):
    """One page of any list."""

    rows: _List


async def pages(
    session: Session, document: Document, row_of: RowOf, where: dict[str, Any] | None = None, *, page: int = PAGE
) -> AsyncIterator[Page]:
    """All records that a filter finds, each once. FatalChannelError where the paging does not go on."""
    seen: set[str] = set()
    skip, back = 0, 0
    while True:
        start = max(0, skip - back)
        options: dict[str, Any] = {"take": page, "skip": start, "sort": {"id": "ASC"}}
        found = (await ask(session, document, {"options": options | ({"filter": where} if where else {})}, Rows)).rows
        rows = [row_of(item) for item in found.items]
        if start and not (rows and rows[0].id in seen):
            back = 2 * back
            continue
        fresh = [row for row in rows if row.id not in seen or not is_usable(row)]
        seen.update(row.id for row in rows)
        yield Page(fresh, found.total)
        if start + len(rows) >= found.total:
            return
        if not fresh and start + len(rows) <= skip:
            raise FatalChannelError(f"paging does not go on after {skip} of {found.total}", system=SYSTEM)
        skip, back = start + len(rows), 1


async def total(session: Session, document: Document) -> int:
    """How many records a list has."""
    return (await ask(session, document, {}, Rows)).rows.total


def changed(window: Window, earliest: datetime) -> dict[str, Any]:
    """The filter for what changed in a window, or since `earliest`. Vendure's `after` leaves out the moment itself."""
    since = _stamp((window.since or earliest) - _TICK)
    if window.is_closed:
        return {"updatedAt": {"between": {"start": since, "end": _stamp(window.until - _TICK)}}}
    return {"updatedAt": {"after": since}}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
