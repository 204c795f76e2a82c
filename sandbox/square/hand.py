"""The world's hand and the judge's eye on Square: records in, values out, past the API.

Every put stamps the documents with the moment given and, where `log` is set, notes changed values with origin
'world'. Catalogue versions are milliseconds of the change, always growing, as Square's are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from starlette.types import ASGIApp

from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.square import customers, documents, levels, objects
from sandbox.square.app import build_app
from sandbox.square.objects import next_version
from sandbox.square.wire import NAME, encode
from sandbox.store import Store, chunks, stamp
from sandbox.vendor import Place, Settings

MERCHANT = "MLSANDBOXSQUARE"
_FILLED = ("first_name", "last_name", "email", "phone", "card", "birth_date")


class SquareVendor:
    """Square for `sandbox.app.VENDORS`. `calls_per_second=None` turns the rate limit off (virtual clocks)."""

    name = NAME

    def __init__(self, *, calls_per_second: int | None = 50, write_seconds: float = 0.005) -> None:
        self.calls_per_second, self.write_seconds = calls_per_second, write_seconds

    def app(self, store: Store, settings: Settings) -> ASGIApp:
        """The API."""
        return build_app(store, settings, self.calls_per_second, self.write_seconds)

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        """The merchant, its locations and its taxes; other kinds of places are not Square's."""
        shops = [place for place in places if place.kind == "location"]
        if not shops:
            return
        merchant = {
            "id": MERCHANT, "business_name": "Maison Trueup", "country": "FR", "language_code": "fr-FR",
            "currency": shops[0].currency, "status": "ACTIVE", "main_location_id": shops[0].key,
        }
        store.put(NAME, "merchants", MERCHANT, merchant, updated_at=at)
        for shop in shops:
            doc = {
                "id": shop.key, "name": shop.name, "timezone": shop.timezone, "status": "ACTIVE",
                "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "merchant_id": MERCHANT,
                "country": "CH" if shop.currency == "CHF" else "FR", "currency": shop.currency, "type": "PHYSICAL",
            }
            store.put(NAME, "locations", shop.key, doc, updated_at=at)
        objects.put_objects(store, documents.taxes(at, next_version(at)), at)

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        """Variations, the items above them, and their categories; prices and overrides stay as they are."""
        categories: set[str] = set()
        for chunk in chunks(items):
            keys = {key for record in chunk for key in (record.key, record.parent)}
            old = {key: doc.body for key, doc in store.get_many(NAME, "catalog", keys).items()}
            changed: dict[str, objects.Object] = {}
            for record in chunk:
                if record.category and record.category not in categories:
                    categories.add(record.category)
                    found = documents.category(record.category, at, next_version(at))
                    if store.get(NAME, "catalog", found["id"]) is None:
                        changed[found["id"]] = found
                changed[record.parent] = documents.item(record, at, next_version(at, old.get(record.parent)))
                before = old.get(record.key, {})
                changed[record.key] = documents.variation(
                    record, at, next_version(at, before), before.get("item_variation_data", {})
                )
                if log:
                    objects.note(store, before, changed[record.key], origin="world")
            objects.put_objects(store, changed.values(), at)

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        """Base prices and overrides of one location ('location:<id>')."""
        for chunk in chunks(prices):
            docs = store.get_many(NAME, "catalog", {price.item for price in chunk})
            changed = {key: doc.body for key, doc in docs.items()}
            for price in chunk:
                objects.set_price(changed[price.item]["item_variation_data"], price)
            for key, body in changed.items():
                body |= {"updated_at": stamp(at), "version": next_version(at, body)}
                if log:
                    objects.note(store, docs[key].body, body, origin="world")
            objects.put_objects(store, changed.values(), at)

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        """A pricing rule, its product set and its discount for each."""
        for record in promotions:
            old = store.get(NAME, "catalog", record.key)
            version = next_version(at, old.body if old else None)
            objects.put_objects(store, documents.promotion(record, at, version), at)

    def put_stock(self, store: Store, levels_: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        """Counts, absolutely."""
        for chunk in chunks(levels_):
            counts = {(level.item, level.location): str(level.on_hand) for level in chunk}
            if log:
                levels.note(store, counts, origin="world")
            levels.put(store, counts, stamp(at))

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        """Into the inventory log, received now (offline tills are late), and onto the counts."""
        now = store.now()
        for chunk in chunks(movements):
            received = [max(now, record.at) for record in chunk]
            levels.append(store, [documents.change(r, at) for r, at in zip(chunk, received, strict=True)])
            counts = levels.after(store, chunk)
            if log:
                levels.note(store, counts, origin="world")
            levels.put(store, counts, stamp(max(received)))

    def put_customers(self, store: Store, customers_: Iterable[Customer], at: datetime, *, log: bool = False) -> None:
        """Customer profiles."""
        for chunk in chunks(customers_):
            old = store.get_many(NAME, "customers", [record.key for record in chunk])
            rows = []
            for record in chunk:
                before = old.get(record.key)
                if before:
                    customers.keep_shown(store, before, at)
                version = before.body["version"] + 1 if before else 0
                doc = documents.customer(record, at, version)
                if log:
                    customers.note(store, before.body if before else {}, doc, origin="world")
                rows.append((record.key, "", record.email.strip().lower(), stamp(at), encode(doc)))
            store.put_many(NAME, "customers", rows)

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        """Orders with their lines and returns; levels do not move by this."""
        for chunk in chunks(orders):
            store.put_many(
                NAME, "orders",
                ((r.key, r.location, r.customer, stamp(r.updated_at), encode(documents.order(r))) for r in chunk),
            )

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        """'items' stay visible as deleted objects on request; 'customers' are gone."""
        if kind == "customers":
            for doc in store.get_many(NAME, "customers", keys).values():
                store.put(NAME, "customers", doc.key, doc.text, updated_at=at, lookup=doc.lookup, deleted=True)
        elif kind == "items":
            objects.delete_objects(store, keys, at)
        else:
            raise ValueError(f"Square deletes 'items' or 'customers', not {kind!r}")

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        """Square knows no other erasure than deleting the profile."""
        self.delete(store, "customers", keys, at)

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        """A new profile with the first one's values, and the other's where it has none; both old ids are gone."""
        first, second = (documents.customer_record(store.get_many(NAME, "customers", [k])[k].body) for k in (key, twin))
        number = int(store.fact("square_merged") or 0) + 1
        store.set_fact("square_merged", str(number))
        blanks = {name: getattr(second, name) for name in _FILLED if not getattr(first, name)}
        joined = replace(first, key=f"CM{number:08d}", **blanks)
        self.delete(store, "customers", [key, twin], at)
        self.put_customers(store, [joined], at, log=True)
        return joined.key

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        """Base prices and overrides of living variations."""
        for doc in store.select(NAME, "catalog", where="lookup = 'ITEM_VARIATION' AND deleted = 0"):
            for price_list, money in objects.prices(doc.body["item_variation_data"]):
                yield doc.key, price_list, str(money.get("currency")), str(money.get("amount")), None

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        """Units in stock; Square has no other number for what can be sold."""
        for doc in store.select(NAME, "counts", where="deleted = 0"):
            units = levels.units(doc.body["quantity"])
            yield doc.parent, doc.lookup, units, units

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        """Living profiles."""
        for doc in store.select(NAME, "customers", where="deleted = 0"):
            yield documents.customer_record(doc.body)
