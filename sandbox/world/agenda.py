"""A day's events in the order of time, and the hands that carry them into the four systems.

Events are planned as (minute, action); actions run in order and leave records in the outbox, which is emptied into
the vendors once an hour. What a level is at that hour is taken from the state, so the last word of the hour counts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.world import ids
from sandbox.world.dice import Dice
from sandbox.world.scene import Scene
from sandbox.world.settings import night_time
from sandbox.world.state import State

Action = Callable[[datetime], None]
_OPENS = timedelta(minutes=90)
_MINUTES = 22 * 60


@dataclass(slots=True)
class Outbox:
    """Records waiting to be put, the last one per key; levels by (system, shelf row)."""

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    prices: dict[tuple[str, str, str], Price] = field(default_factory=dict)
    promotions: list[Promotion] = field(default_factory=list)
    customers: dict[tuple[str, str], Customer] = field(default_factory=dict)
    orders: dict[tuple[str, str], Order] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    levels: dict[int, None] = field(default_factory=dict)
    """Shelf rows whose level in Shopify changed by hand or by an order."""
    gone: list[tuple[str, str, str]] = field(default_factory=list)
    """(system, kind, key) of what is deleted."""
    erased: list[tuple[str, str]] = field(default_factory=list)
    merged: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(person, system, key, key of the twin)."""


class Agenda:
    """One day of one world: plan with `at`, then `live` it."""

    def __init__(self, scene: Scene, state: State, night: int) -> None:
        self.scene, self.state, self.night = scene, state, night
        self.opens = night_time(night - 1, scene.chronicle.settings.first_night) + _OPENS
        self.outbox = Outbox()
        self.joined: list[tuple[str, str, str]] = []
        """(person, system, key) of what merges have left."""
        self._events: list[tuple[int, int, Action]] = []

    def dice(self, *topics: str) -> Dice:
        """A stream of chance for one topic of this day."""
        return Dice(self.scene.chronicle.settings.seed, "day", self.night, *topics)

    def at(self, minute: int, action: Action) -> None:
        """Plan an action, `minute` after opening."""
        self._events.append((minute, len(self._events), action))

    def spread(self, dice: Dice, actions: list[Action]) -> None:
        """Plan actions at random minutes."""
        for minute, action in zip(dice.below(_MINUTES, len(actions)).tolist(), actions, strict=True):
            self.at(minute, action)

    def live(self) -> None:
        """Let everything happen."""
        hour = 0
        for minute, _, action in sorted(self._events, key=lambda event: event[:2]):
            if minute // 60 > hour:
                self._flush(self.opens + timedelta(hours=hour + 1))
                hour = minute // 60
            action(self.opens + timedelta(minutes=minute))
        self._flush(self.opens + timedelta(hours=hour + 1))

    def set_customer(self, system: str, record: Customer) -> None:
        """Write a customer record, in the state and in the system."""
        self.state.customers[system][record.key] = record
        self.outbox.customers[system, record.key] = record

    def _flush(self, at: datetime) -> None:
        store, box = self.scene.store, self.outbox
        with store.transaction():
            for system, vendor in self.scene.vendors.items():
                if items := [record for key, record in box.items.items() if key[0] == system]:
                    vendor.put_items(store, items, at, log=True)
                if prices := [record for key, record in box.prices.items() if key[0] == system]:
                    vendor.put_prices(store, prices, at, log=True)
                if customers := [record for key, record in box.customers.items() if key[0] == system]:
                    vendor.put_customers(store, customers, at, log=True)
                if orders := [record for key, record in box.orders.items() if key[0] == system]:
                    vendor.put_orders(store, orders, log=True)
                for kind in ("items", "customers"):
                    if gone := [key for owner, what, key in box.gone if (owner, what) == (system, kind)]:
                        vendor.delete(store, kind, gone, at)
                if erased := [key for owner, key in box.erased if owner == system]:
                    vendor.erase(store, erased, at)
                for person, _, key, twin in [one for one in box.merged if one[1] == system]:
                    self.joined.append((person, system, vendor.merge(store, key, twin, at)))
            if box.promotions:
                self.scene.vendors["square"].put_promotions(store, box.promotions, at)
            if box.movements:
                self.scene.vendors["square"].put_movements(store, box.movements, log=True)
            if box.levels:
                levels = [self._shopify_level(row) for row in box.levels]
                self.scene.vendors["shopify"].put_stock(store, levels, at, log=True)
        self.outbox = Outbox()

    def _shopify_level(self, row: int) -> Stock:
        shelves, number = self.scene.shelves, int(self.scene.shelves.item[row])
        committed = int(self.scene.memory.committed[row])
        return Stock(
            ids.shopify_variant(number), shelves.places[int(shelves.location[row])].shopify,
            int(self.state.available[row]) + committed, committed, ids.shopify_inventory(number),
        )


class Pool:
    """Candidates that are drawn once each."""

    def __init__(self, dice: Dice, free: np.ndarray) -> None:
        self._dice, self.free = dice, free.copy()

    def take(self, count: int, fits: np.ndarray | None = None) -> list[int]:
        """At most `count` of those that are free and fit."""
        candidates = np.flatnonzero(self.free if fits is None else self.free & fits)
        chosen = self._dice.sample(candidates, count).tolist()
        self.free[chosen] = False
        return chosen
