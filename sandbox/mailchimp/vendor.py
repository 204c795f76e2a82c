"""Mailchimp to the world: members put in as forms and imports would, and what the API would show now read out.

Mailchimp here has audiences and members. Items, prices, stock, promotions and orders it does not have: those methods
do nothing. The world's customers are members of the first audience; one of whom nothing is known is `transactional`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from starlette.types import ASGIApp

from sandbox.mailchimp import members
from sandbox.mailchimp.api import ACCOUNT_ID, MailchimpApi
from sandbox.mailchimp.documents import VENDOR, audience, customer_of, member_of, moment, store_key, text_of
from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.store import Store, chunks, stamp
from sandbox.vendor import Place, Settings

__all__ = ["ACCOUNT_ID", "MailchimpVendor"]

_BY_HAND = "screen"


class MailchimpVendor:
    """The account `ACCOUNT_ID`. A customer's key is the MD5 of its lower-case address."""

    name = VENDOR

    def app(self, store: Store, settings: Settings) -> ASGIApp:
        """The API over the store."""
        return MailchimpApi(store, settings).app()

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        """Audiences; Mailchimp has no other places."""
        for place in places:
            if place.kind == "audience":
                store.put(VENDOR, "lists", place.key, audience(place.key, place.name, at), updated_at=at)

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        """Mailchimp has no items here: nothing happens."""

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        """Mailchimp has no prices here: nothing happens."""

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        """Mailchimp has no promotions here: nothing happens."""

    def put_stock(self, store: Store, levels: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        """Mailchimp has no stock here: nothing happens."""

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        """Mailchimp has no stock here: nothing happens."""

    def put_customers(self, store: Store, customers: Iterable[Customer], at: datetime, *, log: bool = False) -> None:
        """Members of the first audience. One seeded (new, not logged) was last changed when it spoke or was made."""
        list_id = next((doc.key for doc in store.select(VENDOR, "lists", limit=1)), None)
        if list_id is None:
            raise ValueError("put_places first: members need an audience")
        for chunk in chunks(customers):
            held = store.get_many(VENDOR, "members", [store_key(list_id, customer.key) for customer in chunk])
            rows = []
            with store.transaction():
                for customer in chunk:
                    key = store_key(list_id, customer.key)
                    doc = held.get(key)
                    before = doc.body if doc is not None and doc.text != "{}" else None
                    member = member_of(customer, list_id, at, before)
                    changed_at = at
                    if before is None and not log:
                        changed_at = customer.consent.at or customer.created_at or at
                        member["last_changed"] = moment(changed_at)
                    rows.append((key, list_id, customer.email.strip().lower(), stamp(changed_at), text_of(member)))
                    if log and before is None:
                        store.effect(
                            VENDOR, "members", customer.key, "created", None, list_id, origin="world",
                            operation=_BY_HAND,
                        )
                    elif log and before is not None:
                        members.log_changes(store, before, member, origin="world", operation=_BY_HAND)
                store.put_many(VENDOR, "members", rows)

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        """Mailchimp has no orders here: nothing happens."""

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        """Archive 'customers'; they leave the lists. Items there are none."""
        if kind != "customers":
            return
        audiences = [doc.key for doc in store.select(VENDOR, "lists")]
        wanted = [store_key(list_id, key) for key in keys for list_id in audiences]
        for doc in store.get_many(VENDOR, "members", wanted).values():
            if doc.text != "{}":
                members.archive(store, doc, at, origin="world", operation=_BY_HAND)

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        """Delete for good: the address may never be imported again."""
        audiences = [doc.key for doc in store.select(VENDOR, "lists")]
        wanted = [store_key(list_id, key) for key in keys for list_id in audiences]
        for doc in store.get_many(VENDOR, "members", wanted).values():
            if doc.text != "{}":
                members.erase(store, doc.parent, doc, at, operation=_BY_HAND)

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        """Mailchimp merges no members: an address is one member."""
        raise ValueError("Mailchimp merges no members")

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        """Mailchimp has no prices: nothing comes."""
        yield from ()

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        """Mailchimp has no stock: nothing comes."""
        yield from ()

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        """Members of the first audience that are not archived."""
        list_id = next((doc.key for doc in store.select(VENDOR, "lists", limit=1)), "")
        yield from (customer_of(doc) for doc in store.every(VENDOR, "members") if doc.parent == list_id)
