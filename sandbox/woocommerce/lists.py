"""WooCommerce's lists: paging, order and filters, as each of them takes them; what a list does not know it ignores.

`per_page` is 10 unless asked for and 100 at most: more is an error, not a shorter page. `offset` wins over `page`.
`modified_after` leaves the given second out, and is read in the site's own time unless `dates_are_gmt` is true. The
list of customers has no such filter, and shows customers only unless asked for another role; that of variations has
none either. Totals stand in the headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.store import Doc, Store, parse_stamp, stamp
from sandbox.woocommerce.documents import SITE_ZONE, VENDOR

_STAMPS = {"modified_after": ("updated_at", ">"), "modified_before": ("updated_at", "<")}
_CREATED = {"after": ">", "before": "<"}
_ID = "CAST(key AS INTEGER)"


class Refusal(Exception):
    """A call that is turned down: status, the vendor's code and words, and the fields that it names."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.data = status, code, message, data

    def body(self) -> dict[str, Any]:
        """As the vendor shows it."""
        return {"code": self.code, "message": self.message, "data": {"status": self.status, **self.data}}


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list takes: its table, the orders it knows, and whether it filters by time of change."""

    kind: str
    orders: Mapping[str, str]
    default: tuple[str, str]
    has_dates: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)
    """Query name to the JSON path that must equal it."""


_BY_ID = {"id": _ID, "date": f"json_extract(doc, '$.date_created_gmt') {{dir}}, {_ID}", "include": _ID}
PRODUCTS = Listing("products", _BY_ID, ("date", "desc"), True, {"type": "$.type", "sku": "$.sku"})
VARIATIONS = Listing("variations", _BY_ID, ("date", "desc"), False, {"sku": "$.sku"})
ORDERS = Listing("orders", _BY_ID, ("date", "desc"), True)
REFUNDS = Listing("refunds", _BY_ID, ("date", "desc"))
_BY_NAME = "json_extract(doc, '$.username')"
CUSTOMERS = Listing(
    "customers", {"id": _ID, "include": _ID, "name": _BY_NAME, "registered_date": _BY_ID["date"]}, ("name", "asc"),
    filters={"email": "$.email"},
)
TAXES = Listing("taxes", {"id": _ID, "order": _ID, "priority": _ID}, ("order", "asc"))


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a list, and how much there is."""

    docs: list[Doc]
    total: int
    per_page: int

    def headers(self) -> dict[str, str]:
        """The totals."""
        return {"X-WP-Total": str(self.total), "X-WP-TotalPages": str(-(-self.total // self.per_page))}


def _whole(query: Mapping[str, str], name: str, default: int, least: int, most: int | None = None) -> int:
    text = query.get(name, str(default))
    number = int(text) if text.lstrip("-").isdigit() else None
    if number is None:
        raise _invalid(name, f"{name} is not of type integer.")
    if most is not None and not least <= number <= most:
        raise _invalid(name, f"{name} must be between {least} (inclusive) and {most} (inclusive)")
    if number < least:
        raise _invalid(name, f"{name} must be greater than or equal to {least}")
    return number


def _invalid(name: str, words: str) -> Refusal:
    return Refusal(400, "rest_invalid_param", f"Invalid parameter(s): {name}", params={name: words})


def _moment(name: str, text: str, *, is_gmt: bool) -> datetime:
    """A moment of the query; its own zone is dropped, as the vendor drops it."""
    try:
        naive = datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=None)
    except ValueError as error:
        raise _invalid(name, "Invalid date.") from error
    return parse_stamp(naive.isoformat()) if is_gmt else naive.replace(tzinfo=SITE_ZONE)


def page_of(store: Store, listing: Listing, query: Mapping[str, str], *, parent: str | None = None) -> Found:
    """One page. Refusal for a parameter out of bounds."""
    per_page = _whole(query, "per_page", 10, 1, 100)
    offset = _whole(query, "offset", 0, 0) if "offset" in query else per_page * (_whole(query, "page", 1, 1) - 1)
    orderby, order = query.get("orderby", listing.default[0]), query.get("order", listing.default[1])
    if orderby not in listing.orders:
        raise _invalid("orderby", f"orderby is not one of {', '.join(listing.orders)}.")
    if order not in ("asc", "desc"):
        raise _invalid("order", "order is not one of asc, desc.")
    where, args = _conditions(listing, query, parent)
    total = store.count(VENDOR, listing.kind, where, args)
    by = listing.orders[orderby].replace("{dir}", order) + f" {order}"
    docs = store.select(VENDOR, listing.kind, where=where, args=args, order=by, limit=per_page, offset=offset)
    return Found(list(docs), total, per_page)


def _conditions(listing: Listing, query: Mapping[str, str], parent: str | None) -> tuple[str, list[Any]]:
    where, args = ["deleted = 0"], list[Any]()
    if parent is not None:
        where.append("parent = ?")
        args.append(parent)
    if query.get("include"):
        wanted = [part.strip() for part in query["include"].split(",")]
        where.append(f"key IN ({', '.join('?' for _ in wanted)})")
        args += wanted
    for name, path in listing.filters.items():
        if name in query:
            where.append(f"json_extract(doc, '{path}') = ?")
            args.append(query[name])
    if listing.kind == "customers" and query.get("role", "customer") != "all":
        where.append("json_extract(doc, '$.role') = ?")
        args.append(query.get("role", "customer"))
    if listing.kind in ("products", "variations") and query.get("status", "any") != "any":
        where.append("json_extract(doc, '$.status') = ?")
        args.append(query["status"])
    if listing.has_dates:
        is_gmt = query.get("dates_are_gmt", "false").lower() in ("true", "1")
        for name, (column, sign) in _STAMPS.items():
            if name in query:
                where.append(f"{column} {sign} ?")
                args.append(stamp(_moment(name, query[name], is_gmt=is_gmt)))
        for name, sign in _CREATED.items():
            if name in query:
                where.append(f"json_extract(doc, '$.date_created_gmt') {sign} ?")
                args.append(stamp(_moment(name, query[name], is_gmt=is_gmt))[:19])
    return " AND ".join(where), args
