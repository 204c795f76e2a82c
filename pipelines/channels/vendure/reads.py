"""What is read from Vendure: one endpoint per raw table, each record's JSON untouched.

Levels are read whole every night: an order moves no date of its variant. So are customers: an address moves no date of
its customer. A variant's delta misses changes of its product and of a tax rate; the periodic census heals that, and
what was deleted leaves the lists, which the count tells.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec

from pipelines.channels.base import Endpoint, Page, RawRow, Window
from pipelines.channels.keys import head_of, raw_row
from pipelines.channels.vendure.documents import read_document
from pipelines.channels.vendure.options import CUSTOMER_FIELDS, VARIANT_FIELDS, custom_selection
from pipelines.channels.vendure.paging import PAGE, changed, pages, total
from pipelines.channels.vendure.session import ask
from pipelines.http import Session

ORDERS_DAYS = "400"
"""How far back a census of orders goes; the option `orders_days` says otherwise."""
OVERLAP = timedelta(minutes=5)


class _Head(msgspec.Struct):
    id: Any = None
    updated_at: Any = msgspec.field(name="updatedAt", default=None)


_HEAD = msgspec.json.Decoder(_Head)


def _row(record: msgspec.Raw) -> RawRow:
    head = head_of(record, _HEAD)
    return raw_row(record, head.id, at=head.updated_at)


async def read_shop(session: Session, window: Window) -> AsyncIterator[Page]:
    """The channel and the settings that give its numbers a meaning, with the estate's word on where orders go out."""
    found = await ask(session, read_document("shop"), {}, dict[str, Any])
    place = session.options.get("order_location")
    payload = msgspec.json.encode({**found, "orderLocation": place})
    yield Page([raw_row(payload, found["channel"]["id"])], 1)


async def read_locations(session: Session, window: Window) -> AsyncIterator[Page]:
    """Stock locations."""
    async for page in pages(session, read_document("locations"), _row):
        yield page


async def read_variants(session: Session, window: Window) -> AsyncIterator[Page]:
    """Variants with their prices and their product's name."""
    document = read_document("variants", custom_selection(session.options, VARIANT_FIELDS))
    where = changed(window, window.since) if window.since else None
    async for page in pages(session, document, _row, where):
        yield page


async def read_stock_levels(session: Session, window: Window) -> AsyncIterator[Page]:
    """Levels, by variant: a row holds those of all its locations."""
    async for page in pages(session, read_document("stock_levels"), _row):
        yield page


async def read_customers(session: Session, window: Window) -> AsyncIterator[Page]:
    """Customers with addresses and the retailer's own fields."""
    document = read_document("customers", custom_selection(session.options, CUSTOMER_FIELDS))
    async for page in pages(session, document, _row):
        yield page


async def read_orders(session: Session, window: Window) -> AsyncIterator[Page]:
    """Orders that were placed: what is still in a basket or a draft moves nothing."""
    days = timedelta(days=int(session.options.get("orders_days", ORDERS_DAYS)))
    where = changed(window, window.until - days) | {"orderPlacedAt": {"isNull": False}}
    async for page in pages(session, read_document("orders"), _row, where):
        yield page


async def count_variants(session: Session) -> int:
    """Variants that are not deleted."""
    return await total(session, read_document("variants_count"))


ENDPOINTS = (
    Endpoint("shop", ("items", "prices", "stock"), read_shop, has_delta=False),
    Endpoint("locations", ("stock",), read_locations, has_delta=False, census_page=PAGE),
    Endpoint("variants", ("items", "prices"), read_variants, overlap=OVERLAP, census_page=PAGE, delta_page=PAGE,
             count=count_variants),
    Endpoint("stock_levels", ("stock",), read_stock_levels, has_delta=False, census_page=PAGE),
    Endpoint("customers", ("customers", "consents"), read_customers, has_delta=False, census_page=PAGE),
    Endpoint("orders", ("orders", "stock"), read_orders, overlap=OVERLAP, census_page=PAGE, delta_page=PAGE),
)
