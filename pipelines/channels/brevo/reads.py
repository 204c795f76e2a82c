"""Brevo's reads: contacts and lists by offset, in the order of their creation, oldest first.

That order is the only one that Brevo has, and by default it is turned round, so that every new contact pushes all
others one place on. Oldest first, who comes is found at the end; who is deleted meanwhile moves the rest up. So pages
overlap, and each must share a contact with the one before, or it is read again from further back. A page may be shorter
than asked for: steps are as wide as what came.

Brevo's own filter, `modifiedSince`, is not what a night reads by unless the estate says so (option `changes`): nothing
documented promises that an unsubscription moves `modifiedAt`, and a no that is missed until the next census is sent to
for a week. A sweep of all contacts is one call a thousand.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.channels.base import Page, RawRow, Window
from pipelines.channels.brevo.attributes import decode
from pipelines.channels.keys import head_of, moment_of, raw_row
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE, SHARED = 1000, 20
LISTS_PAGE = 50
AHEAD = 4
"""Pages asked for at a time."""
_TOLERANCE = timedelta(seconds=2)
"""Stamps may be whole seconds, and Brevo's bound leaves equal ones out."""

Asked = dict[str, str | int]


class _Head(msgspec.Struct):
    id: Any = None
    modified_at: Any = msgspec.field(name="modifiedAt", default=None)


class _Contacts(msgspec.Struct):
    contacts: list[msgspec.Raw]
    count: int


class _Lists(msgspec.Struct):
    lists: list[msgspec.Raw] = []
    count: int = 0


_HEAD = msgspec.json.Decoder(_Head)


@dataclass(slots=True)
class _Read:
    """One read of contacts."""

    since: datetime | None
    total: int = 0
    seen: set[int] = field(default_factory=set)
    """Hashes of the ids that have been handed on: a million of them fit in memory."""


async def count_contacts(session: Session) -> int:
    """Contacts of all lists and of none."""
    return decode(await session.get("v3/contacts", params=_asked(None, 1, 0)), _Contacts).count


async def read_lists(session: Session, window: Window) -> AsyncIterator[Page]:
    """All lists."""
    count = 0
    while True:
        asked: Asked = {"limit": LISTS_PAGE, "offset": count, "sort": "asc"}
        page = decode(await session.get("v3/contacts/lists", params=asked), _Lists)
        rows = [_row(raw) for raw in page.lists]
        yield Page(rows, total=page.count)
        count += len(rows)
        if count >= page.count:
            return
        if not rows:
            raise FatalChannelError(f"{page.count} lists declared, {count} given", system="brevo")


async def read_contacts(session: Session, window: Window) -> AsyncIterator[Page]:
    """All contacts; only those modified in the window where the estate chose so. Ids are Brevo's numbers."""
    since = window.since if session.options.get("changes") == "modified" else None
    read = _Read(None if since is None else since - _TOLERANCE)
    async for page in _pages(session, read):
        yield page
    if read.since is None:
        yield Page((), total=await count_contacts(session))


def _asked(since: datetime | None, limit: int, offset: int) -> Asked:
    asked: Asked = {"limit": limit, "offset": offset, "sort": "asc"}
    if since is None:
        return asked
    return asked | {"modifiedSince": since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}


async def _pages(session: Session, read: _Read) -> AsyncIterator[Page]:
    """Pages in order, each checked against the one before; up to AHEAD of them are under way."""
    rows = await _page(session, read, 0)
    # What a filtered list counts is not said, so only the whole one is held to its total.
    yield Page(_fresh(read, rows), total=read.total if read.since is None else None)
    if not rows or _is_end(read, 0, rows):
        return
    step, before = _step(rows), frozenset(row.id for row in rows)
    offsets = deque(range(step, max(read.total - SHARED, step + 1) if read.since is None else step + 1, step))
    tasks: deque[tuple[int, asyncio.Task[list[RawRow]]]] = deque()
    try:
        while offsets or tasks:
            while offsets and len(tasks) < AHEAD:
                offset = offsets.popleft()
                tasks.append((offset, asyncio.create_task(_page(session, read, offset))))
            offset, task = tasks[0]
            rows = await task
            tasks.popleft()
            ids = frozenset(row.id for row in rows)
            if not before & ids:
                # Contacts moved up by more than the overlap, and nothing tells what lies between: go back, and feel
                # the way from there, since the total is no guide any more.
                if offset == 0:
                    raise FatalChannelError("so much was deleted meanwhile that no page fits another", system="brevo")
                await _drop(tasks)
                offsets = deque([max(0, offset - step // 2 - 1)])
                continue
            fresh = _fresh(read, rows)
            if fresh:
                yield Page(fresh)
            if fresh and not offsets and not tasks and not _is_end(read, offset, rows):
                offsets.append(offset + _step(rows))
            before = ids
    finally:
        await _drop(tasks)


def _step(rows: Sequence[RawRow]) -> int:
    """How far the next page may begin from this one and still share contacts with it."""
    return max(1, len(rows) - SHARED)


def _is_end(read: _Read, offset: int, rows: Sequence[RawRow]) -> bool:
    """Whether a page reaches what Brevo says that there is; of a filtered list it does not say."""
    return read.since is None and offset + len(rows) >= read.total


async def _drop(tasks: "deque[tuple[int, asyncio.Task[list[RawRow]]]]") -> None:
    for _, task in tasks:
        task.cancel()
    await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
    tasks.clear()


async def _page(session: Session, read: _Read, offset: int) -> list[RawRow]:
    page = decode(await session.get("v3/contacts", params=_asked(read.since, PAGE, offset)), _Contacts)
    read.total = page.count
    rows = [_row(raw) for raw in page.contacts]
    if read.since is not None and any(_is_older(row, read.since) for row in rows):
        raise FatalChannelError(
            "modifiedSince is ignored: contacts come that were not modified since; in estate.toml, [systems.brevo], "
            'set options = { changes = "sweep" }', system="brevo",
        )
    return rows


def _is_older(row: RawRow, since: datetime) -> bool:
    modified = moment_of(row.updated_at)
    return modified is not None and modified < since


def _row(raw: msgspec.Raw) -> RawRow:
    head = head_of(raw, _HEAD)
    return raw_row(raw, str(head.id) if type(head.id) is int else head.id, at=head.modified_at)


def _fresh(read: _Read, rows: Sequence[RawRow]) -> list[RawRow]:
    """Those not handed on yet."""
    fresh = [row for row in rows if hash(row.id) not in read.seen]
    read.seen.update(hash(row.id) for row in fresh)
    return fresh
