"""What Odoo says: each model as a raw table, in the order of ids, page after page.

Every call is a first page, of the records after the last id: ids never change, so no edit, sale or deletion meanwhile
can shift a row out of the read, and equal times do not matter. A read ends with an empty page, not with a short one:
Odoo may give fewer than were asked for. A delta asks for what was written since; that Odoo filters is checked, not
trusted. What no delta shows, deleted records above all, is missed by the count, after which a census follows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.channels.base import Endpoint, Page, RawRow, Window
from pipelines.channels.keys import Record, head_of, raw_row
from pipelines.channels.odoo.models import MODELS, Model
from pipelines.channels.odoo.session import SYSTEM, odoo
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE = 1000
OVERLAP = timedelta(minutes=15)
"""`write_date` is when a transaction began, and it is seen when that ends: an import may take minutes."""
ALL = {"active_test": False}
"""Archived records too: that one is archived is a value of it."""

_Fields = dict[str, msgspec.Raw]


class _Head(msgspec.Struct):
    id: Any = None
    write_date: Any = None


_HEAD = msgspec.json.Decoder(_Head)
_decode_page = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_fields = msgspec.json.Decoder(_Fields).decode


def utc(moment: datetime) -> str:
    """A moment as Odoo compares it: UTC without a zone, cut to the second, so that "at or after" misses nothing."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def endpoint_of(model: Model) -> Endpoint:
    """The endpoint of one model."""
    return Endpoint(
        model.name, model.entities, _read_of(model), has_delta=not model.is_small,
        count=None if model.is_small else _count_of(model), overlap=OVERLAP,
        census_page=PAGE, delta_page=PAGE,
    )


def _read_of(model: Model) -> Callable[[Session, Window], AsyncIterator[Page]]:
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        if _is_off(session, model):
            yield Page((), total=0)
            return
        domain = list(model.domain)
        since = None if window.since is None else utc(window.since)
        if since is not None:
            domain.append(["write_date", ">=", since])
        if window.is_closed:
            domain.append(["write_date", "<", utc(window.until)])
        async for page in _pages(session, model, domain, since):
            yield page

    return read


def _count_of(model: Model) -> Callable[[Session], Awaitable[int]]:
    async def count(session: Session) -> int:
        if _is_off(session, model):
            return 0
        found = await odoo(session).execute(model.model, "search_count", domain=list(model.domain), context=ALL)
        if not isinstance(found, int):
            raise FatalChannelError(f"{model.model}: a count is no number", system=SYSTEM)
        return found

    return count


def _is_off(session: Session, model: Model) -> bool:
    return bool(model.switch) and session.options.get(model.switch) == "off"


async def _pages(session: Session, model: Model, domain: list[Any], since: str | None) -> AsyncIterator[Page]:
    """All records of a domain by id. Raises FatalChannelError where Odoo ignores the filter or the order."""
    last, count = 0, 0
    while True:
        records = await _page(session, model, [*domain, ["id", ">", last]])
        if not records:
            break
        heads = [head_of(record, _HEAD) for record in records]
        _held_to_filter(model, heads, last, since)
        rows = [_row(model, head, record) for head, record in zip(heads, records, strict=True)]
        count += len(rows)
        yield Page(rows)
        last = max((head.id for head in heads if _is_id(head.id)), default=0)
        if not last:
            raise FatalChannelError(f"{model.model}: a page without an id to go on from", system=SYSTEM)
    if count == 0 and since is None:
        yield Page((), total=await _count_of(model)(session))


async def _page(session: Session, model: Model, domain: list[Any]) -> list[msgspec.Raw]:
    asked: dict[str, Any] = {"domain": domain, "fields": list(model.fields), "order": "id", "limit": PAGE}
    if not model.is_named:
        asked["load"] = None
    answer = await odoo(session).answer(model.model, "search_read", context=ALL, **asked)
    try:
        return _decode_page(answer.body)
    except msgspec.DecodeError as error:
        raise FatalChannelError(f"{model.model}: not the expected answer", system=SYSTEM) from error


def _is_id(value: object) -> bool:
    return type(value) is int


def _held_to_filter(model: Model, heads: Sequence[_Head], last: int, since: str | None) -> None:
    """A filter or an order that is ignored without a word would lose rows, or read all of them every night."""
    ids = [head.id for head in heads if _is_id(head.id)]
    if ids != sorted(set(ids)) or (ids and ids[0] <= last):
        raise FatalChannelError(f"{model.model}: records do not come in the order of their ids", system=SYSTEM)
    early = [head for head in heads if since and isinstance(head.write_date, str) and head.write_date < since]
    if early:
        raise FatalChannelError(f"{model.model}: the filter by write_date is ignored", system=SYSTEM)


def _row(model: Model, head: _Head, record: Record) -> RawRow:
    at = f"{head.write_date.replace(' ', 'T')}Z" if isinstance(head.write_date, str) else None
    return raw_row(_without_nothing(model, bytes(record)), str(head.id) if _is_id(head.id) else None, at=at)


def _without_nothing(model: Model, record: bytes) -> bytes:
    """The record with null where Odoo says `false` for an empty text, number, date or link; all else byte by byte."""
    try:
        held = _decode_fields(record)
    except msgspec.DecodeError:
        return record  # no object: quarantine's affair
    for name, value in held.items():
        if name not in model.booleans and bytes(value) == b"false":
            held[name] = msgspec.Raw(b"null")
    return msgspec.json.encode(held)


ENDPOINTS = tuple(endpoint_of(model) for model in MODELS)
