"""What is read from Shopify: one endpoint per raw table. Censuses by bulk operation, deltas by pages of 250.

Levels are read whole every night: a sale moves no variant's date, and what moves a level's own date is not
documented, so a delta could hide drift; bulk costs no points. Fixed prices have no date at all. A variant's delta
misses changes of its product or inventory item alone; the periodic census heals that. It misses what was deleted, too:
the vendor's own counts tell that, and a census follows at once.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import msgspec

from pipelines.channels.base import Endpoint, Page, RawRow, Window
from pipelines.channels.keys import Record, head_of, is_usable, raw_row
from pipelines.channels.shopify.bulk import bulk_pages
from pipelines.channels.shopify.counts import count_customers, count_variants
from pipelines.channels.shopify.documents import PAGE, Document, bulk_text, page_document, read_document, selection
from pipelines.channels.shopify.filters import OVERLAP, changed_since, orders_within
from pipelines.channels.shopify.session import MAX_COST_EXCEEDED, SYSTEM, ask, by_ids
from pipelines.errors import FatalChannelError
from pipelines.http import Session

MAX_DEPTH = 25_000
"""The vendor pages no deeper; a longer delta is read by bulk with the same filter."""
REFUNDS_AT_ONCE = 40

Reader = Callable[[Session, Window], AsyncIterator[Page]]


class _Id(msgspec.Struct):
    id: Any = None


class _Record(msgspec.Struct, rename={"updated_at": "updatedAt"}):
    id: Any = None
    updated_at: Any = None


class _OrderLine(msgspec.Struct, rename={"updated_at": "updatedAt"}):
    id: Any = None
    updated_at: Any = None
    refunds: list[_Id] = []


class _Level(msgspec.Struct, rename={"updated_at": "updatedAt", "parent": "__parentId"}):
    item: Any = msgspec.UNSET
    updated_at: Any = None
    parent: Any = msgspec.UNSET


class _FixedPrice(msgspec.Struct, rename={"parent": "__parentId"}):
    variant: Any = msgspec.UNSET
    parent: Any = msgspec.UNSET


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Connection(msgspec.Struct, rename="camel"):
    nodes: list[msgspec.Raw]
    page_info: _PageInfo


class _Rows(msgspec.Struct):
    rows: _Connection


class _RefundLines(msgspec.Struct, rename="camel"):
    page_info: _PageInfo


class _Refund(msgspec.Struct, rename="camel"):
    id: Any = None
    refund_line_items: _RefundLines | None = None
    created_at: Any = None


class _Refunded(msgspec.Struct):
    refunds: list[msgspec.Raw]


class _Node(msgspec.Struct):
    node: msgspec.Raw


class _Shop(msgspec.Struct):
    shop: msgspec.Raw


_RECORD = msgspec.json.Decoder(_Record)
_ORDER_LINE = msgspec.json.Decoder(_OrderLine)
_LEVEL = msgspec.json.Decoder(_Level)
_FIXED_PRICE = msgspec.json.Decoder(_FixedPrice)
_REFUND = msgspec.json.Decoder(_Refund)


def _record_row(record: Record) -> RawRow:
    head = head_of(record, _RECORD)
    return raw_row(record, head.id, at=head.updated_at)


def _level_row(line: bytes) -> RawRow | None:
    head = head_of(line, _LEVEL)
    if head.item is msgspec.UNSET and head.parent is msgspec.UNSET:
        return None  # a location
    return raw_row(line, _id_of(head.item), head.parent, at=head.updated_at)


def _fixed_price_row(line: bytes) -> RawRow | None:
    head = head_of(line, _FIXED_PRICE)
    if head.variant is msgspec.UNSET and head.parent is msgspec.UNSET:
        return None  # a price list
    return raw_row(line, head.parent, _id_of(head.variant))


def _id_of(found: object) -> object:
    return found.get("id") if isinstance(found, dict) else None


async def _census_or_delta(session: Session, window: Window, connection: str, fragment: str) -> AsyncIterator[Page]:
    if window.since is None:
        async for page in bulk_pages(session, bulk_text(connection, selection(fragment)), _record_row):
            yield page
        return
    query, seen = changed_since(window.since), 0
    async for page, has_more in _pages(session, page_document(connection, fragment), {"query": query}):
        yield page
        seen += len(page.rows)
        if has_more and seen + PAGE > MAX_DEPTH:
            text = bulk_text(connection, selection(fragment), query)
            async for whole in bulk_pages(session, text, _record_row, is_partial=True):
                yield whole
            return


async def _pages(
    session: Session, document: Document, variables: dict[str, str]
) -> AsyncIterator[tuple[Page, bool]]:
    """Pages of `rows`, each with whether there are more. A page that costs too much for one query is halved."""
    after: str | None = None
    size = PAGE
    while True:
        try:
            found, _ = await ask(session, document, {**variables, "first": size, "after": after}, _Rows)
        except FatalChannelError as error:
            if error.code != MAX_COST_EXCEEDED or size < 10:
                raise
            size //= 2
            continue
        info = found.rows.page_info
        has_more = info.has_next_page
        if has_more and (info.end_cursor is None or info.end_cursor == after):
            raise FatalChannelError("paging does not go on", system=SYSTEM)
        yield Page([_record_row(node) for node in found.rows.nodes]), has_more
        if not has_more:
            return
        after = info.end_cursor


async def _small(session: Session, name: str) -> AsyncIterator[Page]:
    """A list of few records, read whole; "no further page" is the vendor's word for how many there are."""
    seen = 0
    async for page, has_more in _pages(session, read_document(name), {}):
        seen += len(page.rows)
        yield page if has_more else Page(page.rows, seen)


async def read_shop(session: Session, window: Window) -> AsyncIterator[Page]:
    """The shop: currency, and whether its prices include tax."""
    found, _ = await ask(session, read_document("shop"), {}, _Shop)
    yield Page([_record_row(found.shop)], 1)


async def read_variants(session: Session, window: Window) -> AsyncIterator[Page]:
    """Variants with what is known of product and inventory item."""
    async for page in _census_or_delta(session, window, "productVariants", "variant"):
        yield page


async def read_customers(session: Session, window: Window) -> AsyncIterator[Page]:
    """Customers with e-mail permission and default address."""
    async for page in _census_or_delta(session, window, "customers", "customer"):
        yield page


async def read_levels(session: Session, window: Window) -> AsyncIterator[Page]:
    """Inventory levels, keyed `inventory item|location`; their location is `__parentId`."""
    levels = f"id inventoryLevels {{ edges {{ node {{ {selection('level')} }} }} }}"
    async for page in bulk_pages(session, bulk_text("locations", levels), _level_row, only_children=True):
        yield page


async def read_fixed_prices(session: Session, window: Window) -> AsyncIterator[Page]:
    """Fixed prices, keyed `price list|variant`; their list is `__parentId`."""
    prices = f"id prices(originType: FIXED) {{ edges {{ node {{ {selection('fixed_price')} }} }} }}"
    async for page in bulk_pages(session, bulk_text("priceLists", prices), _fixed_price_row, only_children=True):
        yield page


async def read_locations(session: Session, window: Window) -> AsyncIterator[Page]:
    """Active locations."""
    async for page in _small(session, "locations"):
        yield page


async def read_price_lists(session: Session, window: Window) -> AsyncIterator[Page]:
    """Price lists."""
    async for page in _small(session, "price_lists"):
        yield page


async def read_orders(session: Session, window: Window) -> AsyncIterator[Page]:
    """Orders, their lines, fulfilment orders and refunds, each record a row under its own gid.

    By bulk even for a delta: nested lists come whole, whatever their length. Refunds hold a list that a bulk query
    may not enter, so they are read by the order's id.
    """
    text = bulk_text("orders", selection("order"), orders_within(window, session.options))
    refunded: list[str] = []

    def row(line: bytes) -> RawRow:
        head = head_of(line, _ORDER_LINE)
        found = raw_row(line, head.id, at=head.updated_at)
        if head.refunds and is_usable(found):
            refunded.append(found.id)
        return found

    async for page in bulk_pages(session, text, row, is_partial=True):
        yield page
    for start in range(0, len(refunded), REFUNDS_AT_ONCE):
        found = await by_ids(session, read_document("refunds"), refunded[start : start + REFUNDS_AT_ONCE], _Refunded)
        refunds = [refund for order in found if order for refund in order.refunds]
        if rows := [row for refund in refunds async for row in _refund_rows(session, refund)]:
            yield Page(rows)


async def _refund_rows(session: Session, refund: msgspec.Raw) -> AsyncIterator[RawRow]:
    """A refund; where it has more lines than one answer holds, further rows `gid#2`, `gid#3` of the same shape."""
    head, part = head_of(refund, _REFUND), 1
    first = raw_row(refund, head.id if head.refund_line_items else None, at=head.created_at)
    yield first
    while is_usable(first) and head.refund_line_items and head.refund_line_items.page_info.has_next_page:
        variables = {"id": first.id, "after": head.refund_line_items.page_info.end_cursor}
        found, _ = await ask(session, read_document("refund_lines"), variables, _Node)
        head, part = head_of(found.node, _REFUND), part + 1
        yield raw_row(found.node, f"{first.id}#{part}" if head.refund_line_items else None, at=first.updated_at)


def _endpoint(
    name: str,
    entities: Iterable[str],
    read: Reader,
    *,
    has_delta: bool = False,
    delta_page: int = 0,
    count: Callable[[Session], Awaitable[int]] | None = None,
) -> Endpoint:
    return Endpoint(
        name, tuple(entities), read, has_delta=has_delta, overlap=OVERLAP, delta_page=delta_page, count=count
    )


ENDPOINTS = (
    _endpoint("shop", ("prices",), read_shop),
    _endpoint("variants", ("items", "prices", "stock"), read_variants, has_delta=True, delta_page=PAGE,
              count=count_variants),
    _endpoint("inventory_levels", ("stock",), read_levels),
    _endpoint("price_lists", ("prices",), read_price_lists),
    _endpoint("price_list_prices", ("prices",), read_fixed_prices),
    _endpoint("customers", ("customers", "consents"), read_customers, has_delta=True, delta_page=PAGE,
              count=count_customers),
    _endpoint("orders", ("orders", "stock"), read_orders, has_delta=True),
    _endpoint("locations", ("stock",), read_locations),
)
