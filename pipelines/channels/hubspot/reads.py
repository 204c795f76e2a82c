"""HubSpot's reads: a census by list, a delta by search and the recycling bin, each record's JSON untouched.

A delta never pages into a search: every call is a first page, of the records after the last id seen, so neither the
10,000 results that a search ends at, nor equal stamps, nor records that change meanwhile can lose a row. What the
index does not show yet is in the overlap of the next night.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from pipelines.channels.base import Page, RawRow, Window
from pipelines.channels.hubspot.session import HubspotSession
from pipelines.channels.keys import head_of, raw_row, usable_ids
from pipelines.errors import FatalChannelError
from pipelines.http import Answer, Session

LIST_PAGE, SEARCH_PAGE = 100, 200
CONTACT_PROPERTIES = (
    "email", "firstname", "lastname", "phone", "mobilephone", "address", "city", "zip", "country", "loyalty_card",
    "date_of_birth", "createdate", "lastmodifieddate", "hs_object_id", "hs_merged_object_ids", "hs_email_optout",
    "hs_legal_basis", "email_consent_at", "email_consent_proof",
)
PRODUCT_PROPERTIES = (
    "name", "hs_sku", "price", "hs_price_chf", "hs_price_jpy", "hs_cost_of_goods_sold", "description", "category",
    "hs_status", "createdate", "hs_lastmodifieddate", "hs_object_id",
)
_MODIFIED = {"contacts": "lastmodifieddate", "products": "hs_lastmodifieddate"}

T = TypeVar("T")


class _Head(msgspec.Struct):
    id: Any = None
    updated_at: Any = msgspec.field(name="updatedAt", default=None)


class _Next(msgspec.Struct):
    after: str


class _Paging(msgspec.Struct):
    next: _Next | None = None


class Listed(msgspec.Struct):
    """A page of a list or a search; records stay as they are."""

    results: list[msgspec.Raw]
    paging: _Paging | None = None
    total: int | None = None


class _Portal(msgspec.Struct):
    id: int = msgspec.field(name="portalId")


class _Definitions(msgspec.Struct):
    records: list[msgspec.Raw] = msgspec.field(name="subscriptionDefinitions")


_HEAD = msgspec.json.Decoder(_Head)


def decode(answer: Answer, kind: type[T]) -> T:
    """An answer as the type it must have; FatalChannelError otherwise."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.DecodeError as error:
        raise FatalChannelError(f"an answer is no {kind.__name__}", system="hubspot", status=answer.status) from error


def _rows(records: Sequence[msgspec.Raw]) -> list[RawRow]:
    heads = [head_of(record, _HEAD) for record in records]
    return [raw_row(record, head.id, at=head.updated_at) for head, record in zip(heads, records, strict=True)]


async def read_contacts(session: Session, window: Window) -> AsyncIterator[Page]:
    """Contacts with one opt-out property for each subscription type that the account has."""
    definitions = decode(await session.get("communication-preferences/v3/definitions"), _Definitions)
    ids = usable_ids(_rows(definitions.records), "a subscription type")
    properties = (*CONTACT_PROPERTIES, *(f"hs_email_optout_{key}" for key in ids))
    async for page in _read(session, "contacts", properties, window):
        yield page


async def read_products(session: Session, window: Window) -> AsyncIterator[Page]:
    """Products with their price properties."""
    async for page in _read(session, "products", PRODUCT_PROPERTIES, window):
        yield page


async def read_definitions(session: Session, window: Window) -> AsyncIterator[Page]:
    """Subscription types; HubSpot gives them all at once."""
    found = decode(await session.get("communication-preferences/v3/definitions"), _Definitions)
    rows = _rows(found.records)
    yield Page(rows, total=len(rows))


async def read_account(session: Session, window: Window) -> AsyncIterator[Page]:
    """The account: the currency of the standard price."""
    answer = await session.get("account-info/v3/details")
    yield Page([RawRow(str(decode(answer, _Portal).id), None, answer.body)], total=1)


def _read(session: Session, kind: str, properties: Sequence[str], window: Window) -> AsyncIterator[Page]:
    if not isinstance(session, HubspotSession):
        raise FatalChannelError("not a HubSpot session", system="hubspot")
    if window.since is None:
        return _census(session, kind, properties)
    return _delta(session, kind, properties, window.since)


async def _census(session: HubspotSession, kind: str, properties: Sequence[str]) -> AsyncIterator[Page]:
    """Everything. A list declares no total; an empty one is confirmed by a search."""
    count = 0
    async for rows in _list(session, kind, properties, archived=False):
        count += len(rows)
        yield Page(rows)
    if count == 0:
        yield Page((), total=await _count(session, kind))


async def count_contacts(session: Session) -> int:
    """Contacts that are not in the recycling bin."""
    return await _count(session, "contacts")


async def count_products(session: Session) -> int:
    """Products that are not in the recycling bin."""
    return await _count(session, "products")


async def _count(session: Session, kind: str) -> int:
    """By a search for everything: the only number that HubSpot declares."""
    if not isinstance(session, HubspotSession):
        raise FatalChannelError("not a HubSpot session", system="hubspot")
    total = decode(await session.search(kind, {"limit": 1}), Listed).total
    if total is None:
        raise FatalChannelError("a search declares no total", system="hubspot")
    return total


async def _delta(
    session: HubspotSession, kind: str, properties: Sequence[str], since: datetime
) -> AsyncIterator[Page]:
    """What changed since, and all that is in the recycling bin: a search never shows that a record went there.

    What was merged or erased is in neither; it is missed by the count, after which a census follows.
    """
    count = 0
    async for page in _search(session, kind, properties, since):
        count += len(page.rows)
        yield page
    async for rows in _list(session, kind, ("hs_object_id",), archived=True):
        count += len(rows)
        yield Page(rows, total=count)


async def _list(
    session: HubspotSession, kind: str, properties: Sequence[str], *, archived: bool
) -> AsyncIterator[list[RawRow]]:
    """One of the two lists, by cursor."""
    asked: dict[str, str | int] = {
        "limit": LIST_PAGE, "properties": ",".join(properties), "archived": str(archived).lower()
    }
    while True:
        page = decode(await session.get(f"crm/v3/objects/{kind}", params=asked), Listed)
        if page.results:
            yield _rows(page.results)
        if page.paging is None or page.paging.next is None:
            break
        if page.paging.next.after == asked.get("after") or not page.results:
            raise FatalChannelError("the list's paging repeats itself", system="hubspot")
        asked["after"] = page.paging.next.after


async def _search(
    session: HubspotSession, kind: str, properties: Sequence[str], since: datetime
) -> AsyncIterator[Page]:
    """What changed since, in the order of ids: each call asks for the first page after the last id."""
    moment = str(int(since.astimezone(UTC).timestamp() * 1000))
    changed = {"propertyName": _MODIFIED[kind], "operator": "GTE", "value": moment}
    last, count = 0, 0
    while True:
        after = {"propertyName": "hs_object_id", "operator": "GT", "value": str(last)}
        request = {
            "filterGroups": [{"filters": [changed, after]}],
            "sorts": ["hs_object_id"],
            "properties": list(properties),
            "limit": SEARCH_PAGE,
        }
        page = decode(await session.search(kind, request), Listed)
        if page.total is None:
            raise FatalChannelError("a search declares no total", system="hubspot")
        rows = _rows(page.results)
        yield Page(rows, total=count + page.total)
        count += len(rows)
        if page.total <= len(rows):
            return
        ids = [int(row.id) for row in rows if row.id.isdecimal()]
        if not ids:
            raise FatalChannelError(f"a search of {page.total} records gives none to go on from", system="hubspot")
        last = max(ids)
