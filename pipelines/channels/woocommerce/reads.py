"""WooCommerce's reads, each record's JSON untouched: settings, tax rates, products, variations, customers, orders.

Products and orders tell what changed since. Variations have no list of their own and no filter by date: they are read
product by product, in a delta those of the products that changed (a variation that is saved or deleted saves its
product). Customers take no such filter and would not say so: every read of them is a census, as is what an import wrote
past the shop, which moves no date. Refunds are read with the orders that name them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from pipelines.channels.base import Page, RawRow, Window
from pipelines.channels.keys import raw_row
from pipelines.channels.woocommerce.lists import Record, read_list, total
from pipelines.channels.woocommerce.options import customer_role, kept_options, orders_days
from pipelines.channels.woocommerce.session import API, MAX_OPEN
from pipelines.errors import FatalChannelError
from pipelines.http import Session

SETTINGS = (
    ("general", "woocommerce_currency"), ("general", "woocommerce_default_country"),
    ("general", "woocommerce_calc_taxes"), ("tax", "woocommerce_prices_include_tax"),
)
"""Group and id of each setting that gives amounts their meaning; a shop without taxes has no group `tax`."""
Nested = Callable[[Record], Awaitable["Hanging"]]


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs on one record, and the fewest and most of it that were declared."""

    rows: Sequence[RawRow] = ()
    low: int = 0
    high: int = 0


def _changed(window: Window) -> dict[str, str | int]:
    """The filter for a window. The vendor leaves out what changed in the given second: it is given the one before."""
    asked: dict[str, str | int] = {}
    if window.since is not None:
        asked |= {"modified_after": _second(window.since - timedelta(seconds=1)), "dates_are_gmt": "true"}
    if window.is_closed:
        asked |= {"modified_before": _second(window.until), "dates_are_gmt": "true"}
    return asked


def _second(moment: datetime) -> str:
    """UTC without a zone: the vendor would drop the zone, and not convert."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


async def read_settings(session: Session, window: Window) -> AsyncIterator[Page]:
    """The settings that stage needs, and the options of estate.toml that say where plugins keep things."""
    rows = [row for group, key in SETTINGS if (row := await _setting(session, group, key)) is not None]
    for name, value in kept_options(session.options).items():
        rows.append(RawRow(f"option:{name}", None, msgspec.json.encode({"id": name, "value": value})))
    yield Page(rows, total=len(rows))


async def _setting(session: Session, group: str, key: str) -> RawRow | None:
    try:
        answer = await session.get(f"{API}/settings/{group}/{key}")
    except FatalChannelError as error:
        if error.status == 404 and group == "tax":
            return None
        raise
    return RawRow(key, None, answer.body)


async def read_taxes(session: Session, window: Window) -> AsyncIterator[Page]:
    """Tax rates, each with the class that it belongs to; a shop may have none."""
    async for part in read_list(session, "taxes"):
        yield Page([record.row() for record in part.records], part.total)


async def read_products(session: Session, window: Window) -> AsyncIterator[Page]:
    """Products but the trashed ones."""
    async for part in read_list(session, "products", _changed(window)):
        yield Page([record.row() for record in part.records], part.total)


async def count_products(session: Session) -> int:
    """Products that are not in the trash."""
    return await total(session, "products")


async def read_variations(session: Session, window: Window) -> AsyncIterator[Page]:
    """Variations of all products, or of those that changed; each row also says of which product it is."""

    async def of(record: Record) -> Hanging:
        key = record.head.key
        if key is None or not (record.head.variations or _is_variable(record)):
            return Hanging()
        path = f"products/{key}/variations"
        return await _hanging(session, path, lambda one: _under("parent_id", key, "variation", one))

    async for page in _with_hanging(session, "products", window, of, keeps_records=False):
        yield page


def _is_variable(record: Record) -> bool:
    return isinstance(record.head.type, str) and record.head.type.startswith("variable")


async def read_customers(session: Session, window: Window) -> AsyncIterator[Page]:
    """Accounts of one role; without one asked for, the vendor gives those of the role "customer" alone."""
    async for part in read_list(session, "customers", {"role": customer_role(session.options)}):
        yield Page([record.row() for record in part.records], part.total)


async def read_orders(session: Session, window: Window) -> AsyncIterator[Page]:
    """Orders that changed in the window (a census: in the last days), each followed by its refunds."""
    since = window.since or window.until - timedelta(days=orders_days(session.options))

    async def of(record: Record) -> Hanging:
        key = record.head.key
        if key is None or not record.head.refunds:
            return Hanging()
        return await _hanging(session, f"orders/{key}/refunds", lambda one: _under("order_id", key, "refund", one))

    async for page in _with_hanging(session, "orders", replace(window, since=since), of, keeps_records=True):
        yield page


async def _with_hanging(
    session: Session, path: str, window: Window, of: Nested, *, keeps_records: bool
) -> AsyncIterator[Page]:
    """What hangs on the records of a list, after the records themselves or without them; at last what was declared."""
    gate, lows, highs = asyncio.Semaphore(MAX_OPEN), [0], [0]
    totals: list[int] = []

    async def one(record: Record) -> Hanging:
        async with gate:
            return await of(record)

    async for part in read_list(session, path, _changed(window)):
        totals.append(part.total)
        found = await asyncio.gather(*map(one, part.records))
        rows = [record.row() for record in part.records] if keeps_records else []
        rows += [row for hanging in found for row in hanging.rows]
        lows += [hanging.low for hanging in found]
        highs += [hanging.high for hanging in found]
        if rows:
            yield Page(rows)
    own = (min(totals), max(totals)) if keeps_records else (0, 0)
    yield Page((), own[0] + sum(lows))
    yield Page((), own[1] + sum(highs))


async def _hanging(session: Session, path: str, row: Callable[[Record], RawRow]) -> Hanging:
    """A list under one record; none where that record was deleted meanwhile."""
    rows: list[RawRow] = []
    totals: list[int] = []
    try:
        async for part in read_list(session, path):
            totals.append(part.total)
            rows += map(row, part.records)
    except FatalChannelError as error:
        if error.status == 404 and error.code.endswith("_invalid_id"):
            return Hanging()
        raise
    return Hanging(rows, min(totals), max(totals))


def _under(owner: str, key: str, name: str, record: Record) -> RawRow:
    """A record of a list under another one, which it does not name, with that one's id beside it."""
    found = record.row()
    payload = b'{"%s":%s,"%s":%s}' % (owner.encode(), key.encode(), name.encode(), found.payload)
    if record.head.key is None:
        return raw_row(payload, None)
    prefix = "" if name == "variation" else f"{name}:"
    return RawRow(f"{prefix}{record.head.key}", found.updated_at, payload)
