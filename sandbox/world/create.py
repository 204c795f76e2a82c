"""Fills an empty store with the whole retailer, up to two o'clock of the first night.

Order matters to the vendors: places, items, prices, promotions, customers, stock, movements, orders. All of it is
dated before the first night, so that a delta read after that night starts from nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from sandbox.records import Customer, Item, Price, Stock
from sandbox.store import Store
from sandbox.vendor import Vendor
from sandbox.world import ids
from sandbox.world.bad_rows import CUSTOMER_KINDS, ITEM_KINDS, Dirt, bad_customer, bad_item
from sandbox.world.cards import records_of
from sandbox.world.cast import PARTS, cast_of, part_of
from sandbox.world.chronicle import BadRow, Chronicle, OpenOrder
from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.history import (
    Trade,
    draw_till,
    draw_web,
    movements,
    till_orders,
    units_of,
    web_orders,
)
from sandbox.world.identity import write_persons
from sandbox.world.items import items_of, prices_of, shown_prices, unmapped_prices
from sandbox.world.nature import unsettle_levels, unsettle_prices
from sandbox.world.people import People, build_people
from sandbox.world.permissions import build_permissions
from sandbox.world.places import places_of
from sandbox.world.promotions import announce, promotion_record
from sandbox.world.scene import Scene
from sandbox.world.settings import HISTORY_DAYS, WorldSettings
from sandbox.world.shelves import Shelves
from sandbox.world.truth import Row

Say = Callable[[str], None]
SELLERS = ("square", "shopify", "hubspot")


def create_world(
    folder: Path, settings: WorldSettings, store: Store, vendors: Mapping[str, Vendor], say: Say = lambda _: None
) -> list[Row]:
    """Make the world and the truth about the first night; returns that truth."""
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    scene = Scene.new(folder, settings, store, vendors)
    store.set_now(_founded(settings))
    with store.loading():
        # Who has no part here is served all the same, as an account that was just opened.
        for system in dict.fromkeys([*cast_of(settings), *vendors]):
            vendors[system].put_places(store, places_of(system, settings), _founded(settings))
        say("catalogue and prices")
        shown = _put_goods(scene)
        say("customers and consents")
        people = build_people(settings)
        counts = _put_customers(scene, people)
        say("stock, and ninety days of orders")
        _put_trade(scene, counts, shown)
    store.set_now(settings.epoch)
    say("the truth about night 0")
    rows = scene.tell(0, scene.look(), scene.persons())
    scene.save()
    return rows


def _founded(settings: WorldSettings) -> datetime:
    """Before anything that is told of happened."""
    return settings.epoch - timedelta(days=HISTORY_DAYS + 1)


def _put_goods(scene: Scene) -> Ints:
    """Items, prices, promotions; returns Shopify's EUR prices."""
    settings, catalogue, chronicle = scene.chronicle.settings, scene.catalogue, scene.chronicle
    founded = _founded(settings)
    clean = shown_prices(catalogue)
    dirt = list(_bad_items(scene, clean))
    chronicle.bad += [row for one in dirt for row in one.rows]
    amounts = unsettle_prices(settings, catalogue, clean, chronicle.spoilt)
    for system in SELLERS:
        vendor, own = scene.vendors[system], [one for one in dirt if one.system == system]
        vendor.put_items(scene.store, _with_items(items_of(catalogue, settings, system), own), founded)
        vendor.put_prices(scene.store, _with_prices(prices_of(system, amounts), own), founded)
        vendor.put_prices(scene.store, unmapped_prices(catalogue, settings, system), founded)
    agrees = amounts["shopify", "eur"] == clean["shopify", "eur"]
    free = catalogue.is_plain & agrees
    free[list(chronicle.spoilt)] = False
    promotion = announce(chronicle, Dice(settings.seed, "promotion", 0), catalogue, free, starts_in=1)
    chronicle.promotions.append(promotion)
    scene.vendors["square"].put_promotions(scene.store, [promotion_record(promotion)], founded)
    return amounts["shopify", "eur"]


def _bad_items(scene: Scene, clean: dict[tuple[str, str], Ints]) -> Iterator[Dirt]:
    catalogue, dice = scene.catalogue, Dice(scene.chronicle.settings.seed, "bad items")
    fits = catalogue.is_plain & catalogue.in_hubspot
    for kind in ITEM_KINDS:
        candidates = np.flatnonzero(fits & catalogue.is_single if kind.needs_single else fits)
        for number in dice.sample(candidates, 1 + len(catalogue) // 20_000).tolist():
            fits[number] = False
            yield bad_item(kind, catalogue, number, int(clean[kind.system, "eur"][number]), scene.chronicle)


def _with_items(records: Iterator[Item], dirt: list[Dirt]) -> Iterator[Item]:
    bad = {item.key: item for one in dirt for item in one.items}
    for record in records:
        yield bad.pop(record.key, record)
    yield from bad.values()


def _with_prices(records: Iterator[Price], dirt: list[Dirt]) -> Iterator[Price]:
    bad = {(price.item, price.list): price for one in dirt for price in one.prices}
    for record in records:
        yield bad.pop((record.item, record.list), record)
    yield from bad.values()


def _put_customers(scene: Scene, people: People) -> dict[str, int]:
    """Customers, and the truth about persons; returns how many records each system has."""
    settings, counts = scene.chronicle.settings, {}
    permissions = build_permissions(settings, people)
    write_persons(scene.folder, [])
    for system in scene.cast:
        spoil = _persons_to_spoil(settings, people, system)
        rows: list[tuple[str, str, str]] = []
        bad: list[BadRow] = []

        def written(
            system: str = system, spoil: dict[int, tuple[str, str, str]] = spoil,
            rows: list[tuple[str, str, str]] = rows, bad: list[BadRow] = bad,
        ) -> Iterator[Customer]:
            for person, record in records_of(settings, people, permissions, system):
                rows.append((f"P{person:07d}", system, record.key))
                if person in spoil:
                    dirt = bad_customer(spoil[person], record, system)
                    bad += dirt.rows
                    record = dirt.customers[0]
                yield record

        scene.vendors[system].put_customers(scene.store, written(), _founded(settings))
        write_persons(scene.folder, rows, append=True)
        scene.chronicle.bad += bad
        counts[system] = scene.chronicle.next_number[system] = len(rows)
    scene.chronicle.next_number["person"] = len(people)
    return counts


def _persons_to_spoil(settings: WorldSettings, people: People, system: str) -> dict[int, tuple[str, str, str]]:
    part = part_of(system)
    dice = Dice(settings.seed, "bad customers", part)
    alone = dice.sample(np.flatnonzero(people.systems == 1 << PARTS.index(part)), len(people))
    kinds = [kind for kind in CUSTOMER_KINDS if kind[0] == part] * (1 + len(people) // 50_000)
    return dict(zip(alone.tolist(), kinds, strict=False))


def _put_trade(scene: Scene, customers: dict[str, int], shown: Ints) -> None:
    settings, catalogue, shelves = scene.chronicle.settings, scene.catalogue, scene.shelves
    store, square, shopify = scene.store, scene.vendors["square"], scene.vendors["shopify"]
    both = shelves.is_compared & shelves.in_square & shelves.in_shopify
    fits = both & catalogue.is_plain[shelves.item]
    fits &= ~np.isin(shelves.item, np.fromiter(scene.chronicle.spoilt, dtype=np.int64))
    till = draw_till(settings, shelves, customers["square"])
    web = draw_web(settings, shelves, customers["shopify"], fits)
    is_open = (web.state == 0)[web.line_order]
    scene.memory.committed = units_of(web, len(shelves), np.where(is_open, web.quantity, 0))

    dice = Dice(settings.seed, "levels")
    spare = np.where(dice.chance(0.05, len(shelves)), 0, dice.between(3, 60, len(shelves)))
    on_hand = np.where(shelves.is_compared, spare + scene.memory.committed + shelves.safety, spare)
    available = np.where(both, on_hand - scene.memory.committed - shelves.safety, dice.between(0, 80, len(shelves)))
    available = unsettle_levels(settings, shelves, available, fits)
    received = np.where(shelves.in_square & shelves.is_compared & dice.chance(0.15, len(shelves)), on_hand // 2, 0)
    returned, sold = (units_of(till, len(shelves), part) for part in (till.returned, till.quantity))
    opening = on_hand + sold - returned - received

    committed = scene.memory.committed
    square.put_stock(store, levels(shelves, "square", shelves.in_square, opening, None), _founded(settings))
    shopify.put_stock(store, levels(shelves, "shopify", shelves.in_shopify, available, committed), _founded(settings))
    square.put_movements(store, movements(settings, till, shelves, opening, received))
    square.put_orders(store, till_orders(till, shelves, catalogue, settings.epoch))
    shopify.put_orders(store, web_orders(web, shelves, shown, settings.epoch))
    _remember_orders(scene.chronicle, web, till, shown, shelves, int((received > 0).sum()))


def levels(
    shelves: Shelves, system: str, present: Bools, quantity: Ints, committed: Ints | None
) -> Iterator[Stock]:
    """Records of some shelf rows: Square's units on hand, Shopify's units that can be sold."""
    for row in np.flatnonzero(present).tolist():
        number, promised = int(shelves.item[row]), 0 if committed is None else int(committed[row])
        yield Stock(
            item=ids.item_key(system, number), location=getattr(shelves.places[int(shelves.location[row])], system),
            on_hand=int(quantity[row]) + promised, committed=promised,
            inventory_key=ids.shopify_inventory(number) if system == "shopify" else "",
        )


def _remember_orders(
    chronicle: Chronicle, web: Trade, till: Trade, shown: Ints, shelves: Shelves, receipts: int
) -> None:
    starts = np.searchsorted(web.line_order, np.arange(len(web.minute) + 1))
    for number in np.flatnonzero(web.state == 0).tolist():
        lines = range(int(starts[number]), int(starts[number + 1]))
        created = chronicle.settings.epoch - timedelta(minutes=int(web.minute[number]))
        chronicle.open_orders.append(OpenOrder(
            number, ids.customer("shopify", int(web.customer[number]), ""), created.isoformat(),
            [[line, int(web.line_row[line]), int(web.quantity[line]), int(shown[shelves.item[web.line_row[line]]])]
             for line in lines],
        ))
    held = int((shelves.in_square & shelves.is_compared).sum())
    chronicle.next_number |= {
        "square_order": len(till.minute), "shopify_order": len(web.minute), "shopify_line": len(web.line_order),
        "movement": held // 10 + receipts + len(till.line_order) + int((till.returned > 0).sum()),
    }
