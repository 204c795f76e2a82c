"""What Square says: its endpoints as raw tables, page after page by cursor.

Records are cut out of the page as they are; only the few fields that make key and time are looked at. Square's
`begin_time` and `updated_after` are exclusive, so a window that means "at or after" asks for a millisecond earlier.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.channels.base import Endpoint, Page, RawRow, Window
from pipelines.channels.keys import head_of, moment_of, raw_row, usable_ids
from pipelines.channels.square.closing import closed
from pipelines.channels.square.session import LOYALTY, SYSTEM, VendorError
from pipelines.errors import FatalChannelError
from pipelines.http import Session

OBJECT_TYPES = ("ITEM", "ITEM_VARIATION", "CATEGORY", "TAX", "DISCOUNT", "PRICING_RULE", "PRODUCT_SET")
LIMIT, CUSTOMER_LIMIT, LOCATIONS_A_CALL, ACCOUNT_LIMIT, EVENT_LIMIT = 1000, 100, 10, 200, 30
LAG = timedelta(minutes=10)
"""Customer search lags "well under 30 seconds", sometimes over a minute; late changes are read twice, not missed."""

_EVER = datetime.min.replace(tzinfo=UTC)


class _Body(msgspec.Struct):
    """A page of any endpoint; only its own list is filled."""

    cursor: str | None = None
    count: int | None = None
    errors: list[VendorError] = []
    objects: list[msgspec.Raw] = []
    counts: list[msgspec.Raw] = []
    changes: list[msgspec.Raw] = []
    customers: list[msgspec.Raw] = []
    orders: list[msgspec.Raw] = []
    locations: list[msgspec.Raw] = []
    loyalty_accounts: list[msgspec.Raw] = []
    events: list[msgspec.Raw] = []


class _Record(msgspec.Struct):
    id: Any = None
    updated_at: Any = None


class _Event(msgspec.Struct):
    id: Any = None
    created_at: Any = None


class _Count(msgspec.Struct):
    catalog_object_id: Any = None
    location_id: Any = None
    state: Any = None
    calculated_at: Any = None


class _Change(msgspec.Struct):
    class Block(msgspec.Struct):
        id: Any = None
        created_at: Any = None

    physical_count: Block | None = None
    adjustment: Block | None = None
    transfer: Block | None = None


_decode_body = msgspec.json.Decoder(_Body).decode
_RECORD = msgspec.json.Decoder(_Record)
_EVENT = msgspec.json.Decoder(_Event)
_COUNT = msgspec.json.Decoder(_Count)
_CHANGE = msgspec.json.Decoder(_Change)


def _row(raw: msgspec.Raw) -> RawRow:
    record = head_of(raw, _RECORD)
    return raw_row(raw, record.id, at=record.updated_at)


def count_row(raw: msgspec.Raw) -> RawRow:
    """A count, keyed by variation, location and state: Square gives it no id."""
    count = head_of(raw, _COUNT)
    return raw_row(raw, count.catalog_object_id, count.location_id, count.state, at=count.calculated_at)


def _change_row(raw: msgspec.Raw) -> RawRow:
    change = head_of(raw, _CHANGE)
    block = change.physical_count or change.adjustment or change.transfer or _Change.Block()
    return raw_row(raw, block.id, at=block.created_at)


def _event_row(raw: msgspec.Raw) -> RawRow:
    event = head_of(raw, _EVENT)
    return raw_row(raw, event.id, at=event.created_at)


def moment(value: datetime, *, earlier_by: timedelta = timedelta()) -> str:
    """RFC 3339 with milliseconds, UTC."""
    return (value - earlier_by).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _after(since: datetime | None, field: str) -> dict[str, str]:
    return {field: moment(since, earlier_by=timedelta(milliseconds=1))} if since else {}


async def pages(
    session: Session, path: str, query: Mapping[str, Any], name: str, row: Callable[[msgspec.Raw], RawRow],
    *, method: str = "POST",
) -> AsyncIterator[Page]:
    """All pages of one query. Raises FatalChannelError on a repeated cursor, errors in a 200, or a strange body."""
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        answer = await (session.get(path, params=asked) if method == "GET" else session.post(path, asked))
        try:
            body = _decode_body(answer.body)
            rows: Sequence[RawRow] = [row(raw) for raw in getattr(body, name)]
        except msgspec.DecodeError as error:
            raise FatalChannelError(f"{path}: not the expected answer: {error}", system=SYSTEM) from error
        if body.errors:
            raise FatalChannelError(f"{path}: {body.errors[0].words}", system=SYSTEM, code=body.errors[0].code)
        yield Page(rows, body.count)
        cursor = body.cursor
        if not cursor:
            return
        if cursor in seen:
            raise FatalChannelError(f"{path}: the cursor repeats", system=SYSTEM)
        seen.add(cursor)


def read_catalog(session: Session, window: Window) -> AsyncIterator[Page]:
    """Catalogue objects of all types; a delta shows the deleted ones too."""
    query: dict[str, Any] = {"object_types": list(OBJECT_TYPES), "limit": LIMIT}
    if window.since:
        query |= {**_after(window.since, "begin_time"), "include_deleted_objects": True}
    return pages(session, "/v2/catalog/search", query, "objects", _row)


def read_counts(session: Session, window: Window) -> AsyncIterator[Page]:
    """Units in stock by variation and location; they come newest first, so what is sold meanwhile moves."""

    def since(moment: datetime | None) -> AsyncIterator[Page]:
        query = {"states": ["IN_STOCK"], "limit": LIMIT, **_after(moment, "updated_after")}
        return pages(session, "/v2/inventory/counts/batch-retrieve", query, "counts", count_row)

    return closed(session, window.since, since)


def read_changes(session: Session, window: Window) -> AsyncIterator[Page]:
    """What changed the units in stock, by when it happened; what Square learns late falls among what has been read."""

    def since(moment: datetime | None) -> AsyncIterator[Page]:
        query = {
            "types": ["PHYSICAL_COUNT", "ADJUSTMENT"], "limit": LIMIT, **_after(moment, "updated_after")
        }
        return pages(session, "/v2/inventory/changes/batch-retrieve", query, "changes", _change_row)

    return closed(session, window.since, since)


def read_customers(session: Session, window: Window) -> AsyncIterator[Page]:
    """Profiles: the list, with its declared total; or search by time of change, which lags.

    In order of creation, which no edit moves: by default Square sorts by name, and who is renamed changes place.
    """
    if window.since is None:
        query: dict[str, Any] = {"limit": CUSTOMER_LIMIT, "count": "true", "sort_field": "CREATED_AT"}
        return pages(session, "/v2/customers", query, "customers", _row, method="GET")
    changed = {"filter": {"updated_at": {"start_at": moment(window.since)}}, "sort": {"field": "CREATED_AT"}}
    query = {"limit": CUSTOMER_LIMIT, "query": changed}
    return pages(session, "/v2/customers/search", query, "customers", _row)


async def count_customers(session: Session) -> int:
    """Profiles that there are; the list counts them, and unlike search it does not lag."""
    answer = await session.get("/v2/customers", params={"limit": 1, "count": "true"})
    try:
        found = _decode_body(answer.body).count
    except msgspec.DecodeError as error:
        raise FatalChannelError(f"customers: not the expected answer: {error}", system=SYSTEM) from error
    if found is None:
        raise FatalChannelError("customers: a list that was asked for its count has none", system=SYSTEM)
    return found


async def read_orders(session: Session, window: Window) -> AsyncIterator[Page]:
    """Orders of all locations, by time of change: offline tills send old orders late."""
    query: dict[str, Any] = {"sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"}}
    if window.since:
        span = {"start_at": moment(window.since)} | ({"end_at": moment(window.until)} if window.is_closed else {})
        query["filter"] = {"date_time_filter": {"updated_at": span}}
    places = [row async for page in read_locations(session, window) for row in page.rows]
    shops = usable_ids(places, "a location")
    for start in range(0, len(shops), LOCATIONS_A_CALL):
        some = {"location_ids": shops[start : start + LOCATIONS_A_CALL], "limit": LIMIT, "query": query}
        async for page in pages(session, "/v2/orders/search", some, "orders", _row):
            yield _until(window, page) if window.is_closed else page


def _until(window: Window, page: Page) -> Page:
    """Square does not say whether `end_at` itself is within: so it is asked for, and what bears it is left out."""
    return replace(page, rows=[row for row in page.rows if (moment_of(row.updated_at) or _EVER) < window.until])


def read_locations(session: Session, window: Window) -> AsyncIterator[Page]:
    """All locations; a short list, always whole."""
    return pages(session, "/v2/locations", {}, "locations", _row, method="GET")


async def read_loyalty_accounts(session: Session, window: Window) -> AsyncIterator[Page]:
    """Accounts of the loyalty program in the order of creation; no time of change can be asked for."""
    if session.options.get(LOYALTY) != "on":
        yield Page((), total=0)
        return
    async for page in pages(
        session, "/v2/loyalty/accounts/search", {"limit": ACCOUNT_LIMIT}, "loyalty_accounts", _row
    ):
        yield page


async def read_loyalty_events(session: Session, window: Window) -> AsyncIterator[Page]:
    """Events of the loyalty program, newest first: one never changes, so those made since are all that is new."""
    if session.options.get(LOYALTY) != "on":
        yield Page((), total=0)
        return
    query: dict[str, Any] = {"limit": EVENT_LIMIT}
    if window.since:
        span = {"start_at": moment(window.since)} | ({"end_at": moment(window.until)} if window.is_closed else {})
        query["query"] = {"filter": {"date_time_filter": {"created_at": span}}}
    async for page in pages(session, "/v2/loyalty/events/search", query, "events", _event_row):
        yield page


ENDPOINTS = (
    Endpoint(
        "catalog_objects", ("items", "prices"), read_catalog, census_page=LIMIT, delta_page=LIMIT, gone="$.is_deleted"
    ),
    Endpoint("inventory_counts", ("stock",), read_counts, overlap=LAG, census_page=LIMIT, delta_page=LIMIT),
    Endpoint(
        "inventory_changes", ("stock",), read_changes, overlap=LAG, may_be_empty=True, census_page=LIMIT,
        delta_page=LIMIT,
    ),
    Endpoint(
        "customers", ("customers", "consents"), read_customers, overlap=LAG, census_page=CUSTOMER_LIMIT,
        delta_page=CUSTOMER_LIMIT, count=count_customers,
    ),
    Endpoint("orders", ("orders",), read_orders, overlap=LAG, may_be_empty=True, census_page=LIMIT, delta_page=LIMIT),
    Endpoint("locations", ("stock", "orders"), read_locations, has_delta=False),
    Endpoint(
        "loyalty_accounts", ("loyalty",), read_loyalty_accounts, has_delta=False, may_be_empty=True,
        census_page=ACCOUNT_LIMIT,
    ),
    Endpoint(
        "loyalty_events", ("loyalty",), read_loyalty_events, overlap=LAG, may_be_empty=True, census_page=EVENT_LIMIT,
        delta_page=EVENT_LIMIT,
    ),
)
