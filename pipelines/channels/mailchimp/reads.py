"""Mailchimp's reads: the members of every audience, by offset in the order of their last change.

An offset is no cursor: a member that changes moves to the end and all after it move up one. So pages overlap, and each
must share a member with the one before, or it is read again from further back; what changed while the pages were read
is read once more at the end, from the newest change that was known at the start. Mailchimp's own totals, before and
after, go along for the verdict. No clock of ours takes part.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from pipelines.channels.base import Page, RawRow, Window
from pipelines.channels.keys import head_of, is_usable, moment_of, raw_row, usable_ids
from pipelines.errors import FatalChannelError
from pipelines.http import Answer, Session

PAGE, SHARED = 1000, 20
AHEAD = 4
MOST_RETURNS = 50
"""How often a read goes back a page before it gives up: a list that shrinks faster than it is read has no end."""
"""Pages asked for at a time."""
_FIELDS = ",".join(
    ("total_items", *(f"members.{name}" for name in (
        "id", "email_address", "contact_id", "status", "merge_fields", "ip_signup", "timestamp_signup", "ip_opt",
        "timestamp_opt", "last_changed", "source", "list_id",
    )))
)

T = TypeVar("T")
Asked = dict[str, str | int]


class _Head(msgspec.Struct):
    id: Any = None
    last_changed: Any = None


class _Members(msgspec.Struct):
    members: list[msgspec.Raw]
    total_items: int


class _Lists(msgspec.Struct):
    lists: list[msgspec.Raw]
    total_items: int


_HEAD = msgspec.json.Decoder(_Head)


@dataclass(slots=True)
class _Read:
    """One audience being read."""

    list_id: str
    since: str | None
    total: int = 0
    newest: str = ""
    seen: set[int] = field(default_factory=set)
    """Hashes of the ids that have been handed on: a million of them fit in memory."""


def decode(answer: Answer, kind: type[T]) -> T:
    """An answer as the type it must have; FatalChannelError otherwise."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.DecodeError as error:
        raise FatalChannelError(f"an answer is no {kind.__name__}", system="mailchimp", status=answer.status) from error


async def read_lists(session: Session, window: Window) -> AsyncIterator[Page]:
    """All audiences."""
    async for page in _lists(session):
        yield page


async def _lists(session: Session) -> AsyncIterator[Page]:
    count = 0
    while True:
        asked: Asked = {"count": PAGE, "offset": count}
        page = decode(await session.get("3.0/lists", params=asked), _Lists)
        rows = [raw_row(raw, head_of(raw, _HEAD).id) for raw in page.lists]
        yield Page(rows, total=page.total_items)
        count += len(rows)
        if count >= page.total_items:
            return
        if not rows:
            raise FatalChannelError(f"{page.total_items} audiences declared, {count} given", system="mailchimp")


async def count_members(session: Session) -> int:
    """Members of all audiences but archived ones."""
    ids = await _list_ids(session)
    return sum([(await _newest(session, _Read(list_id, None)))[0] for list_id in ids])


async def _list_ids(session: Session) -> list[str]:
    return usable_ids([row for page in [p async for p in _lists(session)] for row in page.rows], "an audience")


async def read_members(session: Session, window: Window) -> AsyncIterator[Page]:
    """Members of all audiences but archived ones; ids are `<audience>:<subscriber hash>`."""
    # Mailchimp's bound leaves equal stamps out, and stamps are whole seconds.
    since = None if window.since is None else _text(window.since - timedelta(seconds=1))
    reads = [_Read(list_id, since) for list_id in await _list_ids(session)]
    for read in reads:
        read.total, read.newest = await _newest(session, read)
    yield Page((), total=sum(read.total for read in reads))
    for read in reads:
        async for page in _read_list(session, read):
            yield page
    yield Page((), total=sum(read.total for read in reads))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


async def _newest(session: Session, read: _Read) -> tuple[int, str]:
    """(members declared, time of the newest change) by Mailchimp's own clock."""
    asked = _asked(read.since, 1, 0) | {"sort_dir": "DESC", "fields": "total_items,members.id,members.last_changed"}
    page = decode(await session.get(f"3.0/lists/{read.list_id}/members", params=asked), _Members)
    stamps = [head_of(raw, _HEAD).last_changed for raw in page.members[:1]]
    return page.total_items, next((stamp for stamp in stamps if moment_of(stamp)), "")


def _asked(since: str | None, count: int, offset: int) -> Asked:
    asked: Asked = {"count": count, "offset": offset, "sort_field": "last_changed", "sort_dir": "ASC"}
    return asked if since is None else asked | {"since_last_changed": since}


async def _read_list(session: Session, read: _Read) -> AsyncIterator[Page]:
    async for page in _pages(session, read, read.since, read.total):
        yield page
    total, newest = await _newest(session, read)
    if (total, newest) != (read.total, read.newest):
        # Something changed meanwhile, and may have slipped from a page not read yet to one that was. One second
        # earlier, since Mailchimp's bound leaves equal stamps out.
        known = moment_of(read.newest)
        since = _text(known - timedelta(seconds=1)) if known else read.since
        async for page in _pages(session, read, since, 0):
            yield page
        total, _ = await _newest(session, read)
    read.total = total


async def _pages(session: Session, read: _Read, since: str | None, expected: int) -> AsyncIterator[Page]:
    """Pages in order, each checked against the one before; up to AHEAD of them are under way."""
    step, before = PAGE - SHARED, frozenset[str]()
    offsets = deque(range(0, max(expected - SHARED, 1), step))
    tasks: deque[tuple[int, asyncio.Task[list[RawRow]]]] = deque()
    returns = 0
    try:
        while offsets or tasks:
            while offsets and len(tasks) < AHEAD:
                offset = offsets.popleft()
                tasks.append((offset, asyncio.create_task(_page(session, read, since, offset))))
            offset, task = tasks[0]
            rows = await task
            tasks.popleft()
            ids = frozenset(row.id for row in rows)
            if before and offset and not before & ids:
                # Members moved up by more than the overlap, and nothing tells what lies between: go back.
                await _drop(tasks)
                returns += 1
                if returns > MOST_RETURNS:
                    raise FatalChannelError("the list shrinks while it is read: read again later", system="mailchimp")
                offsets = deque(range(max(0, offset - step // 2), max(expected, offset + 1), step))
                continue
            if fresh := _fresh(read, rows):
                yield Page(fresh)
            if not offsets and not tasks and len(rows) == PAGE:
                offsets.append(offset + step)
            before = ids
    finally:
        await _drop(tasks)


async def _drop(tasks: "deque[tuple[int, asyncio.Task[list[RawRow]]]]") -> None:
    for _, task in tasks:
        task.cancel()
    await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
    tasks.clear()


async def _page(session: Session, read: _Read, since: str | None, offset: int) -> list[RawRow]:
    asked = _asked(since, PAGE, offset) | {"fields": _FIELDS}
    page = decode(await session.get(f"3.0/lists/{read.list_id}/members", params=asked), _Members)
    return [_member(read.list_id, raw) for raw in page.members]


def _member(list_id: str, raw: msgspec.Raw) -> RawRow:
    head = head_of(raw, _HEAD)
    row = raw_row(raw, head.id, at=head.last_changed)
    return replace(row, id=f"{list_id}:{row.id}") if is_usable(row) else row


def _fresh(read: _Read, rows: Sequence[RawRow]) -> list[RawRow]:
    """Those not handed on yet."""
    fresh = [row for row in rows if hash(row.id) not in read.seen]
    read.seen.update(hash(row.id) for row in fresh)
    return fresh
