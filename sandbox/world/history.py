"""Ninety days of trade before the first night: till orders with their stock movements, and web orders.

Belongs here: drawing them and turning them into records. The shelves' levels on the first night are the sum of an
opening level and these movements; web orders still open are what is committed then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from sandbox.records import Line, Movement, Order
from sandbox.world import ids
from sandbox.world.catalogue import Catalogue
from sandbox.world.dice import Bools, Dice, Ints
from sandbox.world.settings import HISTORY_DAYS, WorldSettings
from sandbox.world.shelves import Shelves

_MINUTES = HISTORY_DAYS * 24 * 60
_STATES: tuple[Literal["open", "fulfilled", "cancelled"], ...] = ("open", "fulfilled", "cancelled")
_KINDS: tuple[Literal["count", "receipt", "sale", "return"], ...] = ("count", "receipt", "sale", "return")


@dataclass(frozen=True, slots=True)
class Trade:
    """Orders as arrays: `order` has one entry per order, `line` one per line (`line_order` says whose)."""

    minute: Ints
    """Minutes before the first night."""
    location: Ints
    customer: Ints
    """Record number in that system, or -1."""
    state: Ints
    """0 open, 1 fulfilled, 2 cancelled."""
    settled_minute: Ints
    line_order: Ints
    line_row: Ints
    quantity: Ints
    returned: Ints


def draw_till(settings: WorldSettings, shelves: Shelves, customers: int) -> Trade:
    """The shops' sales; six in ten to a known customer; a few lines are brought back."""
    fits = shelves.in_square & shelves.is_compared & (shelves.location < settings.shops)
    return _draw(Dice(settings.seed, "till"), shelves, fits, max(20, settings.persons * 8 // 10), customers, 0.60)


def draw_web(settings: WorldSettings, shelves: Shelves, customers: int, fits: Bools) -> Trade:
    """The webshop's orders; those of the last days may be open still, some were cancelled."""
    dice = Dice(settings.seed, "web")
    trade = _draw(dice, shelves, fits, max(30, settings.persons * 3 // 10), customers, 1.0)
    n = len(trade.minute)
    state = np.where(dice.chance(0.05, n), 2, 1)
    recent = trade.minute < 4 * 24 * 60
    state = np.where((recent & dice.chance(0.5, n)) | dice.chance(0.03, n), 0, state)
    settled = np.where(state == 0, trade.minute, trade.minute * dice.between(10, 90, n) // 100)
    return Trade(
        trade.minute, trade.location, trade.customer, state, settled, trade.line_order, trade.line_row,
        trade.quantity, np.where(state[trade.line_order] == 1, trade.returned, 0),
    )


def _draw(dice: Dice, shelves: Shelves, fits: Bools, count: int, customers: int, known: float) -> Trade:
    rows = np.flatnonzero(fits)
    rows = rows[np.argsort(shelves.location[rows], kind="stable")]
    if not len(rows):
        empty = np.zeros(0, dtype=np.int64)
        return Trade(empty, empty, empty, empty, empty, empty, empty, empty, empty)
    place = shelves.location[rows]
    starts = np.searchsorted(place, np.arange(len(shelves.places) + 1))
    location = place[dice.below(len(rows), count)]
    line_order = np.repeat(np.arange(count), dice.weighted([60, 28, 12], count) + 1)
    size = (starts[1:] - starts[:-1])[location][line_order]
    pick = dice.below(1 << 30, len(line_order)) * size >> 30
    quantity = dice.weighted([80, 15, 5], len(line_order)) + 1
    minute = np.sort(dice.between(60, _MINUTES - 60, count))[::-1].copy()
    customer = np.where(dice.chance(known, count), dice.below(max(1, customers), count), -1)
    returned = dice.chance(0.04, len(line_order)).astype(np.int64)
    return Trade(
        minute, location, customer if customers else np.full(count, -1), np.ones(count, dtype=np.int64),
        minute // 2, line_order, rows[starts[location][line_order] + pick], quantity, returned,
    )


def units_of(trade: Trade, rows: int, per_line: Ints) -> Ints:
    """`per_line` summed by shelf row."""
    return np.bincount(trade.line_row, weights=per_line, minlength=rows).astype(np.int64)


def till_orders(trade: Trade, shelves: Shelves, catalogue: Catalogue, epoch: datetime) -> Iterator[Order]:
    """Square's orders, oldest first."""
    for number, lines in _lines_by_order(trade):
        place = shelves.places[int(trade.location[number])]
        price = catalogue.chf if place.currency == "CHF" else catalogue.eur
        created = epoch - timedelta(minutes=int(trade.minute[number]))
        back = any(trade.returned[line] for line in lines)
        yield Order(
            key=ids.square_order(number), location=place.square, currency=place.currency, created_at=created,
            customer=_customer("square", int(trade.customer[number])),
            updated_at=epoch - timedelta(minutes=int(trade.settled_minute[number])) if back else created,
            lines=tuple(
                Line(
                    key=ids.square_line(number, at), item=ids.square_variation(item),
                    quantity=int(trade.quantity[line]), returned=int(trade.returned[line]),
                    unit_price=int(price[item] or catalogue.eur[item]),
                )
                for at, (line, item) in enumerate(_with_items(lines, trade, shelves))
            ),
        )


def web_orders(trade: Trade, shelves: Shelves, shown: Ints, epoch: datetime) -> Iterator[Order]:
    """Shopify's orders, oldest first; `shown` is Shopify's EUR price by variant."""
    for number, lines in _lines_by_order(trade):
        yield Order(
            key=ids.shopify_order(number), location=shelves.places[int(trade.location[number])].shopify,
            customer=_customer("shopify", int(trade.customer[number])), currency="EUR",
            created_at=epoch - timedelta(minutes=int(trade.minute[number])),
            updated_at=epoch - timedelta(minutes=int(trade.settled_minute[number])),
            state=_STATES[int(trade.state[number])],
            lines=tuple(
                Line(
                    key=ids.shopify_line(line), item=ids.shopify_variant(item), quantity=int(trade.quantity[line]),
                    returned=int(trade.returned[line]), unit_price=int(shown[item]),
                )
                for line, item in _with_items(lines, trade, shelves)
            ),
        )


def movements(
    settings: WorldSettings, trade: Trade, shelves: Shelves, opening: Ints, received: Ints
) -> Iterator[Movement]:
    """Square's inventory log: opening counts, receipts, sales and returns, in order of time."""
    dice = Dice(settings.seed, "log")
    held = np.flatnonzero(shelves.in_square & shelves.is_compared)
    counted, receipts = dice.sample(held, len(held) // 10), np.flatnonzero(received)
    back = np.flatnonzero(trade.returned)
    parts = (
        (0, np.full(len(counted), _MINUTES), counted, opening[counted]),
        (1, dice.between(60, _MINUTES - 60, len(receipts)), receipts, received[receipts]),
        (2, trade.minute[trade.line_order], trade.line_row, -trade.quantity),
        (3, trade.settled_minute[trade.line_order[back]], trade.line_row[back], trade.returned[back]),
    )
    minute, row, quantity = (np.concatenate([part[at] for part in parts]) for at in (1, 2, 3))
    kind = np.concatenate([np.full(len(part[1]), part[0]) for part in parts])
    for number, at in enumerate(np.lexsort((quantity, kind, row, -minute)).tolist()):
        where = int(row[at])
        yield Movement(
            key=ids.square_movement(number), item=ids.square_variation(int(shelves.item[where])),
            location=shelves.places[int(shelves.location[where])].square, kind=_KINDS[int(kind[at])],
            quantity=int(quantity[at]), at=settings.epoch - timedelta(minutes=int(minute[at])),
        )


def _customer(system: str, number: int) -> str:
    return "" if number < 0 else ids.customer(system, number, "")


def _lines_by_order(trade: Trade) -> Iterator[tuple[int, range]]:
    starts = np.searchsorted(trade.line_order, np.arange(len(trade.minute) + 1)).tolist()
    for number in range(len(trade.minute)):
        yield number, range(starts[number], starts[number + 1])


def _with_items(lines: range, trade: Trade, shelves: Shelves) -> list[tuple[int, int]]:
    return [(line, int(shelves.item[trade.line_row[line]])) for line in lines]
