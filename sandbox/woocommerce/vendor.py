"""WooCommerce to the world: records put in as people and imports would, and what the API would show now read out.

One shop at one place: its stock lies at 'shop', its only price list is 'base'. An item whose parent is another is a
variation of it; all others are products of their own. Movements and promotions it does not have: those methods do
nothing. Stock set here is written past the shop, as imports and plugins do: no date moves.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from starlette.types import ASGIApp

from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.store import Doc, Store, chunks, parse_stamp
from sandbox.vendor import Place, Settings
from sandbox.woocommerce import goods, people
from sandbox.woocommerce.api import WoocommerceApi
from sandbox.woocommerce.documents import (
    SHOP,
    TAX_CLASSES,
    VENDOR,
    Document,
    customer_document,
    customer_of,
    dated,
    is_variation,
    minor,
    money,
    order_document,
    product_document,
    refund_document,
    variation_document,
)

SHOP_ID = "sandbox/woocommerce"
"""The shop's home address without its scheme, by which it is known."""
CURRENCY = "EUR"
_BY_HAND = "screen"
_VAT_BP = 2000
_KEPT = (
    "regular_price", "sale_price", "stock_quantity", "variations", "meta_data", "date_created", "date_created_gmt",
    *(f"date_on_sale_{end}{kind}" for end in ("from", "to") for kind in ("", "_gmt")),
)
"""What a product or variation that is put again keeps."""


class WoocommerceVendor:
    """The shop `SHOP_ID`. `includes_tax`: whether prices are typed in with the tax, a setting of the whole shop."""

    name = VENDOR
    shop_id = SHOP_ID

    def __init__(self, *, includes_tax: bool = True, has_taxes: bool = True) -> None:
        self._includes_tax, self._has_taxes = includes_tax, has_taxes

    def app(self, store: Store, settings: Settings) -> ASGIApp:
        """The API over the store."""
        return WoocommerceApi(store, settings, f"http://{SHOP_ID}").app()

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        """The shop itself: its settings, tax classes and rates. It has no other places."""
        yes_no = {True: "yes", False: "no"}
        for group, key, value in (
            ("general", "woocommerce_currency", CURRENCY), ("general", "woocommerce_default_country", "FR"),
            ("general", "woocommerce_calc_taxes", yes_no[self._has_taxes]),
            *((("tax", "woocommerce_prices_include_tax", yes_no[self._includes_tax]),) if self._has_taxes else ()),
        ):
            body = {
                "id": key, "label": key, "description": "", "value": value, "default": "", "tip": "", "type": "select",
                "group_id": group,
            }
            store.put(VENDOR, "settings", f"{group}/{key}", body, updated_at=at)
        for number, (vat_bp, slug) in enumerate(TAX_CLASSES.items(), 1):
            name = slug or "standard"
            rate = {
                "id": number, "country": "FR", "state": "", "postcode": "", "city": "", "postcodes": [], "cities": [],
                "rate": f"{vat_bp / 100:.4f}", "name": "TVA", "priority": 1, "compound": False, "shipping": True,
                "order": number, "class": name,
            }
            store.put(VENDOR, "taxes", str(number), rate, updated_at=at)
            store.put(VENDOR, "tax_classes", name, {"slug": name, "name": name.title()}, updated_at=at)

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        """Products, and variations with the products above them; prices, quantities and sale days are kept."""
        for item in items:
            with store.transaction():
                kind = "variations" if is_variation(item) else "products"
                if is_variation(item):
                    self._put_parent(store, item, at)
                document = variation_document(item, at) if is_variation(item) else product_document(item, at)
                doc = store.get(VENDOR, kind, item.key)
                self._put_good(store, kind, doc, document, item.parent if is_variation(item) else "", at, log=log)
                if is_variation(item):
                    goods.list_variation(store, item.parent, item.key, at, is_there=True)

    def _put_parent(self, store: Store, item: Item, at: datetime) -> None:
        doc = store.get(VENDOR, "products", item.parent)
        document = product_document(item, at, item.parent)
        if doc is None or doc.deleted or doc.body["name"] != document["name"]:
            self._put_good(store, "products", doc, document, "", at, log=False)

    def _put_good(
        self, store: Store, kind: str, doc: Doc | None, document: Document, parent: str, at: datetime, *, log: bool
    ) -> None:
        if doc is not None and doc.text != "{}":
            held = doc.body
            document |= {name: held[name] for name in _KEPT if name in held}
            if document["manage_stock"] is False:
                document["stock_quantity"] = None
            elif document["stock_quantity"] is None:
                document["stock_quantity"] = 0
        if log or doc is None:
            goods.save(store, kind, doc, document, at, parent=parent)
        else:
            self._seed(store, kind, document, parent, at)

    def _seed(self, store: Store, kind: str, document: Document, parent: str, at: datetime) -> None:
        """Store a record without a word in the log."""
        at = at.replace(microsecond=0)
        store.put(
            VENDOR, kind, str(document["id"]), goods.priced(document | dated("modified", at), at), updated_at=at,
            parent=parent,
            lookup=document["sku"].strip().lower(),
        )
        if parent:  # a variation that is saved saves its product
            above = store.get(VENDOR, "products", parent)
            if above is not None and parse_stamp(above.updated_at) < at:
                self._seed(store, "products", above.body, "", at)

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        """Prices of the list 'base': with a compare-at price, that is the regular one and the amount is the sale."""
        for price in prices:
            if price.list != "base":
                raise ValueError(f"WooCommerce has one price list, 'base', and no {price.list!r}")
            kind, doc = _sold(store, price.item)
            amount = money(price.amount, price.currency)
            compare = None if price.compare_at is None else money(price.compare_at, price.currency)
            values = {"regular_price": compare or amount, "sale_price": amount if compare else ""}
            with store.transaction():
                if log:
                    goods.save(store, kind, doc, doc.body | values, at)
                else:
                    self._seed(store, kind, doc.body | values, doc.parent, at)

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        """None here: a promotion shows as a sale price."""

    def put_stock(self, store: Store, levels: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        """What can be sold of an item: on hand less committed. Written into the database, so no date moves."""
        for level in levels:
            if level.location != SHOP:
                raise ValueError(f"WooCommerce has one place, {SHOP!r}, and no {level.location!r}")
            kind, doc = _sold(store, level.item)
            after = doc.body | {"stock_quantity": level.on_hand - level.committed}
            with store.transaction():
                if log:
                    goods.save(store, kind, doc, after, at, is_quiet=True)
                else:
                    self._seed(store, kind, after, doc.parent, at)

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        """WooCommerce shows no log of movements: its orders are one."""

    def put_customers(self, store: Store, customers: Iterable[Customer], at: datetime, *, log: bool = False) -> None:
        """Insert or replace accounts with what a newsletter plugin keeps beside them."""
        for some in chunks(customers):
            held = store.get_many(VENDOR, "customers", [customer.key for customer in some])
            with store.transaction():
                for customer in some:
                    doc = held.get(customer.key)
                    is_held = doc is not None and not doc.deleted
                    after = customer_document(customer, at, doc.body if doc is not None and is_held else None)
                    people.save(store, doc, after, at, log=log)

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        """Insert or replace orders, and one refund for what came back of each."""
        for some in chunks(orders):
            wanted = {line.item for order in some for line in order.lines}
            products = store.get_many(VENDOR, "products", wanted).values()
            variations = store.get_many(VENDOR, "variations", wanted).values()
            places = {doc.key: (doc.key, "") for doc in products if not doc.deleted}
            places |= {doc.key: (doc.parent, doc.key) for doc in variations if not doc.deleted}
            with store.transaction():
                for order in some:
                    body = order_document(order, places, vat_bp=_VAT_BP, includes_tax=self._includes_tax)
                    at = order.updated_at.replace(microsecond=0)
                    store.put(VENDOR, "orders", order.key, body, updated_at=at)
                    for one in body["refunds"]:
                        refund = refund_document(order, places)
                        store.put(VENDOR, "refunds", str(one["id"]), refund, updated_at=at, parent=order.key)
                    if log:
                        store.effect(VENDOR, "orders", order.key, "state", None, order.state, origin="world")

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        """Products go to the trash, variations and accounts for good; all leave the lists."""
        for key in keys:
            if kind == "customers":
                doc = store.get(VENDOR, "customers", key)
                if doc is not None and not doc.deleted:
                    people.remove(store, doc, at, origin="world", operation=_BY_HAND)
                continue
            table, good = _sold(store, key)
            goods.remove(store, table, good, at, origin="world", is_forced=False, operation=_BY_HAND)

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        """An erasure deletes the account."""
        self.delete(store, "customers", keys, at)

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        """WooCommerce merges no accounts."""
        raise ValueError("WooCommerce merges no customers")

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        """(item, 'base', currency, what it sells for in minor units, the regular price where that is a sale's)."""
        for doc in _goods(store):
            body = goods.priced(doc.body, store.now())
            if body.get("type") in ("grouped", "variable"):
                continue
            compare = minor(body["regular_price"], CURRENCY) if body["on_sale"] else None
            yield doc.key, "base", CURRENCY, minor(body["price"], CURRENCY) or "", compare

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        """(item, 'shop', on_hand, available): the shop holds one number for both."""
        for doc in _goods(store):
            body = doc.body
            if body["manage_stock"] is True:
                yield doc.key, SHOP, body["stock_quantity"], body["stock_quantity"]

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        """Accounts with what the newsletter plugin keeps."""
        for doc in store.every(VENDOR, "customers"):
            yield customer_of(doc.body)


def _sold(store: Store, key: str) -> tuple[str, Doc]:
    """The table and document of a sellable thing."""
    for kind in ("variations", "products"):
        doc = store.get(VENDOR, kind, key)
        if doc is not None and doc.text != "{}":
            return kind, doc
    raise KeyError(f"no product or variation {key}")


def _goods(store: Store) -> Iterator[Doc]:
    yield from store.every(VENDOR, "products")
    yield from store.every(VENDOR, "variations")
