"""A day on the shelves: till sales, returns, deliveries, counts, web orders sent or called off, levels typed by hand.

Goods are only sold while some can be: what Square counts stays above what the webshop has promised and keeps back.
"""

from datetime import datetime, timedelta

import numpy as np

from sandbox.records import Line, Order
from sandbox.world import ids
from sandbox.world.agenda import Action, Agenda, Pool
from sandbox.world.chronicle import OpenOrder
from sandbox.world.day_deletions import SHOP_CLOSES, rows_of
from sandbox.world.day_holds import plan_holds
from sandbox.world.day_moves import AT_ONCE, move, put_order
from sandbox.world.dice import Bools, Dice
from sandbox.world.settings import DayRates
from sandbox.world.state import NONE
from sandbox.world.truth import read_truth
from sandbox.world.truth_stock import stock_drift


def plan_stock(agenda: Agenda, rates: DayRates) -> None:
    """All events of the day that move stock."""
    scene, n = agenda.scene, len(agenda.scene.catalogue)
    free, dice = _free(agenda), agenda.dice("stock")
    pool, actions = Pool(agenda.dice("rows"), free), list[Action]()
    pool.free[scene.chronicle.waiting_rows] = False
    spare = agenda.state.on_hand - scene.memory.unseen - scene.memory.committed - scene.shelves.safety
    in_shops = scene.shelves.location < scene.chronicle.settings.shops
    for row in pool.take(rates.count("store_sales", n), in_shops & (spare >= 3)):
        actions.append(_till(agenda, row, "sale", -1 - dice.one(2)))
    for row in pool.take(rates.count("store_returns", n), in_shops):
        actions.append(_till(agenda, row, "return", 1))
    for row in pool.take(rates.count("late_sales", n), in_shops & (spare >= 3) & ~_counted_lately(agenda)):
        actions.append(_till(agenda, row, "sale", -1 - dice.one(2), late_by=timedelta(hours=24 + dice.one(47))))
    actions += _beside_deleted(agenda, dice, in_shops & (spare >= 3))
    for row in pool.take(rates.count("deliveries", n)):
        actions.append(move(agenda, row, "receipt", 4 + dice.one(20)))
    for row in pool.take(rates.count("counts", n), spare >= 3):
        off = (-2, -1, 1, 2, 3)[dice.one(5)]
        actions.append(move(agenda, row, "count", int(agenda.state.on_hand[row]) + off))
        scene.chronicle.counted[str(row)] = agenda.night
    for row in pool.take(rates.count("level_edits", n)):
        actions.append(_type_level(agenda, row, (-3, -2, -1, 2, 4, 7)[dice.one(6)]))
    for row in pool.take(rates.count("web_orders", n), spare >= 3):
        actions.append(_order(agenda, row, 1 + dice.one(2), dice))
    actions += _close_orders(agenda, rates, n)
    actions += plan_holds(agenda, rates, pool, in_shops & (spare >= 3))
    unshelved = _held(agenda, free=False) & (agenda.state.available == NONE) & scene.shelves.in_square
    for row in Pool(agenda.dice("new levels"), unshelved).take(rates.count("new_levels", n)):
        actions.append(_new_level(agenda, row, 1 + dice.one(5)))
    agenda.spread(dice, actions)


def _counted_lately(agenda: Agenda) -> Bools:
    """Rows of which Square counted the units within three days: a count covers what was sold before it."""
    scene, since = agenda.scene, agenda.night - 4
    counted = np.zeros(len(scene.shelves), dtype=np.bool_)
    counted[[int(row) for row, night in scene.chronicle.counted.items() if night >= since]] = True
    places = {place.square: at for at, place in enumerate(scene.shelves.places)}
    for night in range(max(0, since), agenda.night):  # a night that told Square of web orders counted, too
        for row in read_truth(scene.folder, night):
            if (row.system, row.entity) == ("square", "stock"):
                number = ids.item_number("square", row.vendor_id)
                counted[scene.shelves.row_of(number, places[row.vendor_sub_id])] = True
    return counted


def _beside_deleted(agenda: Agenda, dice: Dice, can_sell: Bools) -> list[Action]:
    """The till sells what the shop has deleted, and the shop's level moves of what the till has: no drift in either."""
    state, actions = agenda.state, list[Action]()
    sold = rows_of(agenda, "shopify") & _held(agenda, free=False) & can_sell
    actions += [_till(agenda, row, "sale", -1) for row in Pool(agenda.dice("sold beside"), sold).take(1)]
    typed = rows_of(agenda, "square") & agenda.scene.shelves.is_compared & (state.available != NONE)
    return actions + [_type_level(agenda, row, 2) for row in Pool(agenda.dice("typed beside"), typed).take(1)]


def _held(agenda: Agenda, *, free: bool) -> Bools:
    """Rows that Square counts, of goods that nothing is wrong with; `free`: Shopify sells them there too."""
    scene, shelves = agenda.scene, agenda.scene.shelves
    fits = shelves.is_compared & (agenda.state.on_hand != NONE) & scene.catalogue.is_plain[shelves.item]
    fits &= ~np.isin(shelves.item, np.fromiter(scene.chronicle.spoilt, dtype=np.int64))
    return fits & (agenda.state.available != NONE) if free else fits


def _free(agenda: Agenda) -> Bools:
    drift = stock_drift(agenda.scene.shelves, agenda.state, agenda.scene.memory)
    return _held(agenda, free=True) & ~drift.shopify_differs & ~drift.square_differs


def _till(agenda: Agenda, row: int, kind: str, quantity: int, late_by: timedelta = AT_ONCE) -> Action:
    """A sale or a return at a till: the movement and the order beside it.

    An offline till tells of it days later, with its old time; when Square heard of it, is the order's `updated_at`.
    """
    scene, moved = agenda.scene, move(agenda, row, kind, quantity, late_by)
    number, place = scene.chronicle.mint("square_order"), scene.shelves.places[int(scene.shelves.location[row])]
    item = int(scene.shelves.item[row])
    price = scene.catalogue.chf if place.currency == "CHF" and scene.catalogue.chf[item] else scene.catalogue.eur

    def action(moment: datetime) -> None:
        moved(moment)
        back = max(0, quantity)
        line = Line(ids.square_line(number, 0), ids.square_variation(item), abs(quantity), int(price[item]), back)
        agenda.outbox.orders["square", ids.square_order(number)] = Order(
            ids.square_order(number), place.square, "", place.currency, (line,), moment - late_by, moment
        )

    return action


def _type_level(agenda: Agenda, row: int, off: int) -> Action:
    def action(_: datetime) -> None:
        level = int(agenda.state.available[row])
        agenda.state.available[row] = level + (off if level + off >= 0 else 3)
        agenda.outbox.levels[row] = None

    return action


def _new_level(agenda: Agenda, row: int, off: int) -> Action:
    """Shopify starts to sell from a place, with a level that was guessed."""
    memory = agenda.scene.memory

    def action(_: datetime) -> None:
        right = int(agenda.state.on_hand[row] - memory.unseen[row] - memory.committed[row])
        agenda.state.available[row] = max(0, right - int(agenda.scene.shelves.safety[row])) + off
        agenda.outbox.levels[row] = None

    return action


def _order(agenda: Agenda, row: int, quantity: int, dice: Dice) -> Action:
    """A web order: units are promised, none have left."""
    chronicle, memory, item = agenda.scene.chronicle, agenda.scene.memory, int(agenda.scene.shelves.item[row])
    customer = ids.customer("shopify", dice.one(max(1, len(agenda.state.customers["shopify"]))), "")
    number, line = chronicle.mint("shopify_order"), chronicle.mint("shopify_line")
    unit = int(agenda.state.prices["shopify", "eur"][item])

    def action(moment: datetime) -> None:
        memory.committed[row] += quantity
        agenda.state.available[row] -= quantity
        memory.available[row] -= quantity if memory.available[row] != NONE else 0
        order = OpenOrder(number, customer, moment.isoformat(), [[line, row, quantity, unit]])
        chronicle.open_orders.append(order)
        put_order(agenda, order, "open", moment)

    return action


def _close_orders(agenda: Agenda, rates: DayRates, n: int) -> list[Action]:
    """Some of the orders that were open this morning are sent, some called off."""
    fits = _held(agenda, free=True)
    orders = [o for o in agenda.scene.chronicle.open_orders
              if not o.is_pickup and all(fits[line[1]] for line in o.lines)]
    chosen = agenda.dice("orders").order(len(orders)).tolist()
    sent, off = rates.count("fulfilments", n), rates.count("cancels", n)
    promised = rows_of(agenda, "shopify")
    for order in agenda.scene.chronicle.open_orders:
        if not order.is_pickup and all(promised[line[1]] for line in order.lines):
            agenda.at(agenda.dice("last orders", str(order.number)).one(SHOP_CLOSES - 60),
                      _close(agenda, order, "fulfilled"))
    return [_close(agenda, orders[at], "fulfilled") for at in chosen[:sent]] + [
        _close(agenda, orders[at], "cancelled") for at in chosen[sent : sent + off]
    ]


def _close(agenda: Agenda, order: OpenOrder, state: str) -> Action:
    memory = agenda.scene.memory

    def action(moment: datetime) -> None:
        for _, row, quantity, _ in order.lines:
            memory.committed[row] -= quantity
            if state == "fulfilled":
                memory.unseen[row] += quantity
            else:
                agenda.state.available[row] += quantity
                memory.available[row] += quantity if memory.available[row] != NONE else 0
        agenda.scene.chronicle.open_orders.remove(order)
        put_order(agenda, order, state, moment)

    return action
