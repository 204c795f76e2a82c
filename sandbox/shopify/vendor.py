"""The sandbox's Shopify as the world sees it: records go in, what the API would show comes out.

Documents are made by `documents`; the API over them is `app`. Bulk loads go through `put_many`, in chunks, so that
a million variants can be seeded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from starlette.types import ASGIApp

from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.shopify import documents as show
from sandbox.shopify.app import ShopifyApp
from sandbox.shopify.burial import bury, bury_variant
from sandbox.shopify.documents import Document
from sandbox.shopify.graph import VENDOR
from sandbox.store import Doc, Store, chunks, stamp
from sandbox.vendor import Place, Settings

Row = tuple[str, str, str, str, str]
SHOP_ID = "gid://shopify/Shop/1"


class ShopifyVendor:
    """Implements `sandbox.vendor.Vendor`."""

    name = VENDOR
    shop_id = SHOP_ID

    def app(self, store: Store, settings: Settings) -> ASGIApp:
        """The Admin API, to be mounted at /shopify."""
        return ShopifyApp(store, settings).asgi

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        """Locations, price lists, and the shop itself."""
        shop = show.shop_document(SHOP_ID, "Maison Sandbox", "EUR", "Europe/Paris", is_plus=True)
        store.put(VENDOR, "shop", SHOP_ID, shop, updated_at=_second(at))
        for place in places:
            if place.kind == "location":
                document, table = show.location_document(place, at), "locations"
            elif place.kind == "price_list":
                document = {"id": place.key, "name": place.name, "currency": place.currency}
                table = "lists"
            else:
                continue
            store.put(VENDOR, table, place.key, document, updated_at=_second(at))

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        """Insert or replace variants and the products above them; prices are kept."""
        for some in chunks(items):
            before = store.get_many(VENDOR, "variants", [item.key for item in some])
            products: dict[str, Document] = {}
            rows = []
            for item in some:
                old = before.get(item.key)
                document = show.variant_document(item, at, old.body if old else None)
                products[item.parent] = document["product"]
                rows.append((item.key, document, item.parent, document["inventoryItem"]["id"], old))
                if log and old:
                    names = (("sku", "sku"), ("barcode", "gtin"))
                    _log(store, "items", item.key, [(to, old.body[of], document[of]) for of, to in names])
            _put(store, "variants", rows, at)
            _put(store, "products", [(key, product, "", "", None) for key, product in products.items()], at)

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        """Set prices of existing variants, and fixed prices of price lists."""
        for some in chunks(prices):
            base = [price for price in some if price.list == "base"]
            found = store.get_many(VENDOR, "variants", [price.item for price in base])
            rows = []
            for price in base:
                old = found[price.item]
                body = old.body
                document = {
                    **body, "price": show.money(price.amount, price.currency),
                    "compareAtPrice": None if price.compare_at is None
                    else show.money(price.compare_at, price.currency),
                }
                rows.append((price.item, document | {"updatedAt": show.moment(at)}, old.parent, old.lookup, old))
                if log:
                    names = (("price", "amount"), ("compareAtPrice", "compare_at"))
                    _log(store, "prices", f"{price.item}|base", [(to, body[of], document[of]) for of, to in names])
            _put(store, "variants", rows, at)
            self._put_fixed(store, [price for price in some if price.list != "base"], at, log=log)

    def _put_fixed(self, store: Store, prices: list[Price], at: datetime, *, log: bool) -> None:
        found = store.get_many(VENDOR, "prices", [f"{p.list}|{p.item}" for p in prices]) if log else {}
        rows = []
        for price in prices:
            key, document = f"{price.list}|{price.item}", show.price_document(price)
            rows.append((key, document, price.list, price.item, None))
            if log:
                before = found[key].body if key in found else {}
                names = (("price", "amount"), ("compareAtPrice", "compare_at"))
                _log(store, "prices", f"{price.item}|{price.list}", [
                    (to, (before.get(of) or {}).get("amount"), (document[of] or {}).get("amount"))
                    for of, to in names
                ])
        _put(store, "prices", rows, at)

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        """Shopify has none here: a promotion shows as a price with a compare-at price."""

    def put_stock(self, store: Store, levels: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        """Set levels absolutely. No variant's date moves, as at the vendor's."""
        for some in chunks(levels):
            variants = store.get_many(VENDOR, "variants", {level.item for level in some if not level.inventory_key})
            keyed = []
            for level in some:
                item = level.inventory_key or variants[level.item].lookup
                keyed.append((show.level_id(level.location, item), item, level))
            before = store.get_many(VENDOR, "levels", [key for key, _, _ in keyed])
            rows = []
            for key, item, level in keyed:
                old = before.get(key)
                body = old.body if old else None
                document = show.level_document(level, item, at, body)
                rows.append((key, document, level.location, item, old))
                if log:
                    was, now = (body or {}).get("_quantities", {}), document["_quantities"]
                    where = f"{level.item}|{level.location}"
                    _log(store, "stock", where, [(name, was.get(name), now[name]) for name in now])
            _put(store, "levels", rows, at)

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        """Shopify shows no log of movements: its orders are one."""

    def put_customers(
        self, store: Store, customers: Iterable[Customer], at: datetime, *, log: bool = False
    ) -> None:
        """Insert or replace customers with their consent."""
        for some in chunks(customers):
            before = store.get_many(VENDOR, "customers", [customer.key for customer in some])
            rows = []
            for customer in some:
                old = before.get(customer.key)
                document = show.customer_document(customer, at, old.body if old else None)
                rows.append((customer.key, document, "", customer.phone, old))
                if log and old:
                    _log_customer(store, show.customer_record(old.body), customer)
            _put(store, "customers", rows, at)

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        """Insert or replace orders."""
        for some in chunks(orders):
            before = store.get_many(VENDOR, "orders", [order.key for order in some])
            store.put_many(VENDOR, "orders", (
                _row(order.key, show.order_document(order), order.customer, "", before.get(order.key), order.updated_at)
                for order in some
            ))
            for order in some if log else ():
                _log(store, "orders", order.key, [("state", None, order.state)])

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        """Delete 'items' or 'customers': they leave the lists, with what hangs on them."""
        for key in keys:
            table = {"items": "variants", "customers": "customers"}[kind]
            doc = store.get(VENDOR, table, key)
            if doc is None:
                continue
            if kind == "items":
                bury_variant(store, doc, at)
            else:
                bury(store, table, doc, at)

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        """An erasure has the customer redacted; nothing of it is left to be listed."""
        self.delete(store, "customers", keys, at)

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        """customerMerge, in favour of the younger id: it takes over the first one's values."""
        old, kept = (store.get_many(VENDOR, "customers", [k])[k] for k in (key, twin))
        joined = replace(show.customer_record(old.body), key=kept.key)
        bury(store, "customers", old, at)
        self.put_customers(store, [joined], at, log=True)
        return kept.key

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        """(variant, list, currency, amount in minor units, compare-at in minor units or None)."""
        for doc in store.every(VENDOR, "variants"):
            body = doc.body
            yield (
                doc.key, "base", "EUR", show.minor(body["price"], "EUR") or "",
                show.minor(body["compareAtPrice"], "EUR"),
            )
        for doc in store.every(VENDOR, "prices"):
            body = doc.body
            currency = body["price"]["currencyCode"]
            yield (
                doc.lookup, doc.parent, currency, show.minor(body["price"]["amount"], currency) or "",
                show.minor((body["compareAtPrice"] or {}).get("amount"), currency),
            )

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        """(variant, location, on_hand, available)."""
        for doc in store.every(VENDOR, "levels"):
            body = doc.body
            yield body["_variant"], doc.parent, body["_quantities"]["on_hand"], body["_quantities"]["available"]

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        """Customers with their consent."""
        for doc in store.every(VENDOR, "customers"):
            yield show.customer_record(doc.body)


def _second(at: datetime) -> datetime:
    """Shopify's stamps are whole seconds; the columns that searches compare are cut alike."""
    return at.replace(microsecond=0)


def _row(key: str, document: Document, parent: str, lookup: str, old: Doc | None, at: datetime) -> Row:
    body = {**document, "_was": old.updated_at} if old else document
    return key, parent, lookup, stamp(_second(at)), show.encoded(body)


def _put(
    store: Store, table: str, rows: Iterable[tuple[str, Document, str, str, Doc | None]], at: datetime
) -> None:
    store.put_many(VENDOR, table, (_row(key, doc, parent, lookup, old, at) for key, doc, parent, lookup, old in rows))


def _log(store: Store, kind: str, key: str, changes: list[tuple[str, object, object]]) -> None:
    for name, before, after in changes:
        if before != after:
            store.effect(VENDOR, kind, key, name, before, after, origin="world")


def _log_customer(store: Store, before: Customer, after: Customer) -> None:
    names = ("first_name", "last_name", "email", "phone", "street", "city", "postcode")
    _log(store, "customers", after.key, [(name, getattr(before, name), getattr(after, name)) for name in names])
    _log(store, "consents", f"{after.key}|email", [("state", before.consent.state, after.consent.state)])
