"""Brevo to the world: contacts put in as forms and imports would, and what the API would show now read out.

Brevo here has lists and contacts. Items, prices, stock, promotions and orders it does not have: those methods do
nothing. The world's permission is that of the first list; one of whom nothing is known is a contact in no list.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from starlette.types import ASGIApp

from sandbox.brevo import contacts
from sandbox.brevo.api import ORGANIZATION, BrevoApi
from sandbox.brevo.documents import ATTRIBUTES, VENDOR, contact_of, customer_of, text_of
from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.store import Store, chunks, stamp
from sandbox.vendor import Place, Settings

__all__ = ["ORGANIZATION", "BrevoVendor"]

_BY_HAND = "screen"


class BrevoVendor:
    """The account `ORGANIZATION`. A customer's key is the contact's number.

    `per_list`: whether the account has activated unsubscription per list; else an unsubscription is from everything.
    """

    name = VENDOR

    def __init__(self, *, per_list: bool = False) -> None:
        self._per_list = per_list

    def app(self, store: Store, settings: Settings) -> ASGIApp:
        """The API over the store."""
        return BrevoApi(store, settings, per_list=self._per_list).app()

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        """Lists, and with them the account's attributes; Brevo has no other places."""
        for name, attribute in ATTRIBUTES.items():
            if store.get(VENDOR, "attributes", name) is None:
                store.put(VENDOR, "attributes", name, attribute, updated_at=at)
        for place in places:
            if place.kind == "audience":
                held = {"name": place.name, "createdAt": stamp(at)}
                store.put(VENDOR, "lists", str(int(place.key)), held, updated_at=at)

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        """Brevo has no items here: nothing happens."""

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        """Brevo has no prices here: nothing happens."""

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        """Brevo has no promotions here: nothing happens."""

    def put_stock(self, store: Store, levels: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        """Brevo has no stock here: nothing happens."""

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        """Brevo has no stock here: nothing happens."""

    def put_customers(self, store: Store, customers: Iterable[Customer], at: datetime, *, log: bool = False) -> None:
        """Contacts, with the permission of the first list. One seeded (new, not logged) is as old as it says.

        Whether an unsubscription moves `modifiedAt` is documented nowhere: here it moves nothing, which is the worse
        case for who reads by it.
        """
        list_id = _first_list(store)
        if list_id is None:
            raise ValueError("put_places first: contacts need a list")
        for chunk in chunks(customers):
            held = store.get_many(VENDOR, "contacts", [customer.key for customer in chunk])
            rows = []
            with store.transaction():
                for customer in chunk:
                    doc = held.get(customer.key)
                    before = doc.body if doc is not None and not doc.deleted else None
                    seeded = before is None and not log
                    changed_at = (customer.created_at or at) if seeded else at
                    contact = contact_of(customer, list_id, changed_at, before, per_list=self._per_list)
                    if before is not None and contact["attributes"] == before["attributes"]:
                        contact["modifiedAt"] = before["modifiedAt"]
                    if log:
                        _log(store, before, contact, customer.key)
                    lookup = customer.email.strip().lower()
                    rows.append((customer.key, "", lookup, contact["modifiedAt"], text_of(contact)))
                store.put_many(VENDOR, "contacts", rows)

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        """Brevo has no orders here: nothing happens."""

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        """Delete 'customers'; nothing of them is left. Items there are none."""
        if kind != "customers":
            return
        for doc in store.get_many(VENDOR, "contacts", keys).values():
            if not doc.deleted:
                contacts.delete(store, doc, at, origin="world", operation=_BY_HAND)

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        """The same as deleting: Brevo has one way, and lets an erased address be imported again."""
        self.delete(store, "customers", keys, at)

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        """Brevo merges no contacts by hand: an address is one contact."""
        raise ValueError("Brevo merges no contacts")

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        """Brevo has no prices: nothing comes."""
        yield from ()

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        """Brevo has no stock: nothing comes."""
        yield from ()

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        """All contacts, with the permission of the first list."""
        list_id = _first_list(store) or 0
        yield from (customer_of(doc, list_id) for doc in store.every(VENDOR, "contacts"))


def _first_list(store: Store) -> int | None:
    return next((int(doc.key) for doc in store.select(VENDOR, "lists", where="deleted = 0", limit=1)), None)


def _log(store: Store, before: contacts.Contact | None, after: contacts.Contact, key: str) -> None:
    if before is None:
        store.effect(VENDOR, "contacts", key, "created", None, "", origin="world", operation=_BY_HAND)
    else:
        contacts.log_changes(store, before, after, origin="world", operation=_BY_HAND)
