"""What the systems hold now, as arrays and records: the world's look at the real store.

Values that no one can read as an amount are BAD, absent ones NONE. Keys outside the catalogue (extra rows planted as
dirt), unmapped lists and unmapped places are left out: the estate does not know them either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from sandbox.records import Customer
from sandbox.store import Store
from sandbox.vendor import Vendor
from sandbox.world.cast import PARTS
from sandbox.world.dice import Ints
from sandbox.world.ids import item_number
from sandbox.world.items import CURRENCIES, VENDOR_LISTS
from sandbox.world.shelves import Shelves

NONE = -(1 << 40)
BAD = NONE + 1


@dataclass(slots=True)
class State:
    """Everything that is compared, as the vendors would show it."""

    prices: dict[tuple[str, str], Ints]
    """By (system, our price list), per variant."""
    compare_at: Ints
    """Shopify's struck-through EUR price, per variant."""
    on_hand: Ints
    """Square's, per shelf row."""
    available: Ints
    """Shopify's, per shelf row."""
    customers: dict[str, dict[str, Customer]]
    """By system and key."""

    def populations(self, shelves: Shelves) -> dict[tuple[str, str], int]:
        """How many values of each entity a system holds."""
        found: dict[tuple[str, str], int] = {}
        for (system, _), values in self.prices.items():
            found[system, "prices"] = found.get((system, "prices"), 0) + int((values > BAD).sum())
        for system, levels in (("square", self.on_hand), ("shopify", self.available)):
            found[system, "stock"] = int(((levels != NONE) & shelves.is_compared).sum())
        return found | {(system, "customers"): len(held) for system, held in self.customers.items()}


def observe(
    vendors: Mapping[str, Vendor], store: Store, variants: int, shelves: Shelves, systems: Iterable[str] = PARTS
) -> State:
    """Read everything through the judge's eye; customers of these systems."""
    prices = {key: _empty(variants) for key in VENDOR_LISTS}
    compare_at = _empty(variants)
    for system in ("square", "shopify", "hubspot"):
        _read_prices(vendors[system], store, variants, prices, compare_at)
    on_hand, _ = _read_stock(vendors["square"], store, variants, shelves)
    _, available = _read_stock(vendors["shopify"], store, variants, shelves)
    for system, levels in (("square", on_hand), ("shopify", available)):
        # Some systems still show the levels of what they no longer sell: those are levels of nothing.
        levels[prices[system, "eur"][shelves.item] == NONE] = NONE
    customers = {system: {c.key: c for c in vendors[system].observe_customers(store)} for system in systems}
    return State(prices, compare_at, on_hand, available, customers)


def _empty(count: int) -> Ints:
    return np.full(count, NONE, dtype=np.int64)


def _read_prices(
    vendor: Vendor, store: Store, variants: int, prices: dict[tuple[str, str], Ints], compare_at: Ints
) -> None:
    ours = {vendor_list: name for (system, name), vendor_list in VENDOR_LISTS.items() if system == vendor.name}
    if vendor.name == "hubspot":
        ours["base"] = "eur"
    for key, vendor_list, currency, amount, compare in vendor.observe_prices(store):
        name, number = ours.get(vendor_list), item_number(vendor.name, key)
        if name is None or number >= variants:
            continue
        prices[vendor.name, name][number] = _amount(amount) if currency == CURRENCIES[name] else BAD
        if (vendor.name, name) == ("shopify", "eur") and compare is not None:
            compare_at[number] = _amount(compare)


def _amount(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else BAD


def _read_stock(vendor: Vendor, store: Store, variants: int, shelves: Shelves) -> tuple[Ints, Ints]:
    place_of = {getattr(place, vendor.name): at for at, place in enumerate(shelves.places)}
    codes, on_hand, available = [], [], []
    for key, location, units, sellable in vendor.observe_stock(store):
        number = item_number(vendor.name, key)
        if number < variants and location in place_of:
            codes.append(number * len(shelves.places) + place_of[location])
            on_hand.append(units)
            available.append(sellable)
    wanted = np.asarray(codes, dtype=np.int64)
    rows = np.searchsorted(shelves.code, wanted)
    if len(rows) and (rows.max() >= len(shelves) or (shelves.code[rows] != wanted).any()):
        raise ValueError(f"{vendor.name} shows stock of something at a place where the world never put it")
    found = _empty(len(shelves)), _empty(len(shelves))
    found[0][rows], found[1][rows] = on_hand, available
    return found
