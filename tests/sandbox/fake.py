"""A small vendor for tests of the world alone: keeps records as they were put, and shows what a real one would.

It has the traits of the system it plays that matter to the truth: Square keeps no time of consent and moves its
levels by movements; the others keep none.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from starlette.applications import Starlette

from sandbox.records import Consent, Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.store import Store, parse_stamp, stamp
from sandbox.vendor import Place, Settings

SYSTEMS = ("square", "shopify", "hubspot", "mailchimp")


class FakeVendor:
    """One vendor module, played in a few lines."""

    def __init__(self, name: str) -> None:
        self.name = name

    def app(self, store: Store, settings: Settings) -> Starlette:
        return Starlette()

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        self._put(store, "places", ((place.key, asdict(place)) for place in places), at)

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        self._put(store, "items", ((item.key, asdict(item)) for item in items), at)

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        self._put(store, "prices", ((f"{p.item}|{p.list}", asdict(p)) for p in prices), at)

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        self._put(store, "promotions", ((p.key, asdict(p)) for p in promotions), at)

    def put_stock(self, store: Store, levels: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        self._put(store, "stock", ((f"{s.item}|{s.location}", asdict(s)) for s in levels), at)

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        movements = list(movements)
        if self.name == "square":
            for m in movements:
                doc = store.get(self.name, "stock", f"{m.item}|{m.location}")
                level = doc.body if doc else asdict(Stock(m.item, m.location, 0))
                level["on_hand"] = m.quantity if m.kind == "count" else level["on_hand"] + m.quantity
                self._put(store, "stock", [(f"{m.item}|{m.location}", level)], m.at)
            for m in movements:
                self._put(store, "movements", [(m.key, asdict(m))], m.at)

    def put_customers(self, store: Store, customers: Iterable[Customer], at: datetime, *, log: bool = False) -> None:
        self._put(store, "customers", ((c.key, asdict(c)) for c in customers), at)

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        for order in orders:
            self._put(store, "orders", [(order.key, asdict(order))], order.updated_at)

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        for key in keys:
            doc = store.get(self.name, kind, key)
            if doc is not None:
                store.put(self.name, kind, key, doc.text, updated_at=at, deleted=True)

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        self.delete(store, "customers", keys, at)

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        doc = store.get(self.name, "customers", key)
        assert doc is not None
        self.delete(store, "customers", [key, twin], at)
        self._put(store, "customers", [(f"{key}+", doc.body | {"key": f"{key}+"})], at)
        return f"{key}+"

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        gone = {doc.key for doc in store.select(self.name, "items", where="deleted = 1")}
        for doc in store.select(self.name, "prices"):
            p = doc.body
            if p["item"] not in gone:
                compare = p["compare_at"]
                yield p["item"], p["list"], p["currency"], str(p["amount"]), None if compare is None else str(compare)

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        for doc in store.select(self.name, "stock"):
            s = doc.body
            yield s["item"], s["location"], s["on_hand"], s["on_hand"] - s["committed"]

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        for doc in store.select(self.name, "customers", where="deleted = 0"):
            body = doc.body
            consent = body.pop("consent")
            said_at = parse_stamp(consent["at"]) if consent["at"] and self.name != "square" else None
            body["created_at"] = parse_stamp(body["created_at"]) if body["created_at"] else None
            proven = bool(consent["is_proven"]) and self.name != "square"
            yield Customer(**body, consent=Consent(consent["state"], said_at, proven, consent["source"]))

    def _put(self, store: Store, kind: str, rows: Iterable[tuple[str, dict[str, Any]]], at: datetime) -> None:
        store.put_many(
            self.name, kind,
            ((key, "", "", stamp(at), json.dumps(body, default=_text, ensure_ascii=False)) for key, body in rows),
        )


def _text(value: Any) -> str:
    return stamp(value) if isinstance(value, datetime) else str(value)


def fake_vendors() -> dict[str, FakeVendor]:
    """All four."""
    return {name: FakeVendor(name) for name in SYSTEMS}
