"""HubSpot to the world: records put in as people and imports would, and what the API would show now read out.

HubSpot here has contacts, products (a mirror of net prices) and e-mail subscriptions. Stock, movements, promotions
and orders it does not have: those methods do nothing. The world's consents speak of the first subscription type.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from starlette.types import ASGIApp

from sandbox.hubspot import objects
from sandbox.hubspot.account import HUB_ID
from sandbox.hubspot.api import HubspotApi
from sandbox.hubspot.documents import (
    PRICE_LISTS,
    VENDOR,
    Properties,
    created_of,
    customer_of,
    customer_properties,
    document,
    item_properties,
    known_properties,
    minor_text,
    permission,
    price_text,
    subscription_ids,
)
from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.store import Doc, Store, chunks, stamp
from sandbox.vendor import Place, Settings

__all__ = ["HUB_ID", "HubspotVendor"]

_CURRENCIES = {"price": "EUR", "hs_price_chf": "CHF", "hs_price_jpy": "JPY"}
_BY_HAND = "screen"
_KINDS = {"items": "products", "customers": "contacts"}


class HubspotVendor:
    """The account `HUB_ID`. Its price lists are the properties 'price', 'hs_price_chf' and 'hs_price_jpy'."""

    name = VENDOR

    def app(self, store: Store, settings: Settings) -> ASGIApp:
        """The API over the store."""
        return HubspotApi(store, settings).app()

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        """Subscription types ('subscription' or 'audience', numeric keys); HubSpot has no other places."""
        for place in places:
            if place.kind in ("subscription", "audience"):
                body = {
                    "id": place.key, "name": place.name, "description": place.name, "communicationMethod": "Email",
                    "purpose": "Marketing", "isActive": True, "isDefault": False, "isInternal": False,
                    "createdAt": stamp(at), "updatedAt": stamp(at),
                }
                store.put(VENDOR, "subscriptions", place.key, body, updated_at=at)

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        """Products; a product put again keeps its prices. An archived item leaves the lists."""
        names = known_properties(store, "products")
        for chunk in chunks(items):
            held = store.get_many(VENDOR, "products", [item.key for item in chunk])
            fresh = []
            for item in chunk:
                doc, wanted = held.get(item.key), item_properties(item)
                if doc is not None and log and not doc.deleted:
                    self._edit(store, "products", doc, wanted, at)
                    continue
                kept = {} if doc is None else {n: v for n, v in doc.body["properties"].items() if n in _CURRENCIES}
                created = doc.body["createdAt"] if doc else stamp(at)
                text = document(
                    "products", item.key, wanted | kept, names, created_at=created, updated_at=stamp(at)
                )
                fresh.append((item.key, "", item.sku.strip().lower(), stamp(at), text))
            with store.transaction():
                store.put_many(VENDOR, "products", fresh)
            self._log_new(store, "products", fresh, log)
            self.delete(store, "items", [item.key for item in chunk if item.status == "archived"], at)

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        """Price properties of existing products; a string amount is kept as it is typed."""
        for chunk in chunks(prices):
            wanted: dict[str, Properties] = {}
            for price in chunk:
                name = PRICE_LISTS[price.list]
                wanted.setdefault(price.item, {})[name] = price_text(price.amount, name)
            held = store.get_many(VENDOR, "products", wanted)
            rows = []
            for key, changes in wanted.items():
                if held[key].deleted:
                    continue
                if log:
                    self._edit(store, "products", held[key], changes, at)
                    continue
                body = held[key].body
                body["properties"] |= changes | {"hs_lastmodifieddate": stamp(at)}
                body["updatedAt"] = stamp(at)
                rows.append((key, "", held[key].lookup, stamp(at), msgspec.json.encode(body).decode()))
            with store.transaction():
                store.put_many(VENDOR, "products", rows)

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        """HubSpot has no promotions: nothing happens."""

    def put_stock(self, store: Store, levels: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        """HubSpot has no stock: nothing happens."""

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        """HubSpot has no stock: nothing happens."""

    def put_customers(self, store: Store, customers: Iterable[Customer], at: datetime, *, log: bool = False) -> None:
        """Contacts with their permission for the first subscription type."""
        subscription = next(iter(subscription_ids(store)), None)
        if subscription is None:
            raise ValueError("put_places first: HubSpot's consents need a subscription type")
        names = known_properties(store, "contacts")
        for chunk in chunks(customers):
            held = store.get_many(VENDOR, "contacts", [customer.key for customer in chunk]) if log else {}
            fresh = []
            for customer in chunk:
                wanted, doc = customer_properties(customer, subscription), held.get(customer.key)
                if doc is not None and not doc.deleted:
                    self._edit(store, "contacts", doc, wanted, at, subscription)
                    continue
                text = document(
                    "contacts", customer.key, wanted, names, created_at=created_of(customer.created_at, at),
                    updated_at=stamp(at),
                )
                fresh.append((customer.key, "", customer.email.strip().lower(), stamp(at), text))
            with store.transaction():
                store.put_many(VENDOR, "contacts", fresh)
            self._log_new(store, "contacts", fresh, log)

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        """HubSpot has no orders here: nothing happens."""

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        """Archive 'items' or 'customers'; they leave lists and search."""
        for doc in store.get_many(VENDOR, _KINDS[kind], keys).values():
            if not doc.deleted:
                objects.archive(store, _KINDS[kind], doc, at=stamp(at), origin="world", operation=_BY_HAND)

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        """The screen's permanent delete: the contact is gone, and its address blocked."""
        for doc in store.get_many(VENDOR, "contacts", keys).values():
            objects.erase(store, doc, at=stamp(at), operation=_BY_HAND)

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        """Two contacts become a third."""
        found = store.get_many(VENDOR, "contacts", [key, twin])
        return objects.merge(store, found[key], found[twin], at=stamp(at), operation=_BY_HAND).key

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        """(product, property name, currency, minor units as text, None); absent prices are left out."""
        for doc in store.every(VENDOR, "products"):
            held: Properties = doc.body["properties"]
            for name, currency in _CURRENCIES.items():
                if text := held.get(name):
                    yield doc.key, name, currency, minor_text(text, name), None

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        """HubSpot has no stock: nothing comes."""
        yield from ()

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        """Contacts with their permission for the first subscription type."""
        subscription = next(iter(subscription_ids(store)), "")
        for doc in store.every(VENDOR, "contacts"):
            yield customer_of(doc, subscription)

    def _edit(
        self, store: Store, kind: str, doc: Doc, wanted: Properties, at: datetime, subscription: str = ""
    ) -> None:
        """Someone changes a record on the screen; the permission's own effect is logged beside the properties'."""
        before = permission(doc.body["properties"], subscription)
        changed = objects.change(
            store, kind, doc, wanted, at=stamp(at), origin="world", operation=_BY_HAND, visible_until=stamp(at)
        )
        after = permission(changed.body["properties"], subscription)
        if subscription and after != before:
            store.effect(
                VENDOR, "consents", doc.key, subscription, before, after, origin="world", operation=_BY_HAND
            )

    def _log_new(self, store: Store, kind: str, rows: list[tuple[str, str, str, str, str]], log: bool) -> None:
        if log:
            for row in rows:
                store.effect(VENDOR, kind, row[0], "created", None, row[0], origin="world", operation=_BY_HAND)
