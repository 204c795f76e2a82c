"""A day of click & collect: goods set aside are placed, collected, cancelled, forgotten, and orphaned.

Web orders that are collected in a shop: some alone, some with an order of the till that names them, some of those paid
at the till ahead, whose goods are off its count from then on. And goods that a shop sets aside for who calls. After
HOLD_HOURS, or past the till's own expiry, nobody comes in time any more: what was held is for sale again, while the
record stands open until somebody cancels it, days later. Of two web orders that are cancelled, the till forgets one.
"""

from datetime import datetime, timedelta

from sandbox.records import Line, Order, OrderState, Pickup, PickupState
from sandbox.world import ids
from sandbox.world.agenda import Action, Agenda, Pool
from sandbox.world.chronicle import OpenOrder, TillHold
from sandbox.world.day_moves import move, put_order
from sandbox.world.dice import Bools
from sandbox.world.settings import HOLD_HOURS, DayRates, night_time
from sandbox.world.state import NONE

_TILL_KEEPS = timedelta(hours=30)
_ORDER_STATES: dict[PickupState, OrderState] = {"placed": "open", "collected": "fulfilled", "cancelled": "cancelled"}


def plan_holds(agenda: Agenda, rates: DayRates, pool: Pool, fits: Bools) -> list[Action]:
    """What becomes today of the holds of this morning, and new ones."""
    chronicle, n = agenda.scene.chronicle, len(agenda.scene.catalogue)
    until = night_time(agenda.night, agenda.scene.chronicle.settings.first_night)
    dice = agenda.dice("holds")
    actions: list[Action] = []
    for order in [o for o in chronicle.open_orders if o.is_pickup]:
        is_due = datetime.fromisoformat(order.created_at) + timedelta(hours=HOLD_HOURS) <= until
        if order.is_released:
            actions.append(_close(agenda, order, "cancelled" if dice.one(3) else "fulfilled"))
        elif is_due and dice.one(2):
            actions.append(_release(agenda, order))
        elif is_due or dice.one(3) == 0:
            actions.append(_close(agenda, order, "fulfilled" if dice.one(2) else "cancelled"))
    for hold in list(chronicle.holds):
        if datetime.fromisoformat(hold.expires_at) <= until:
            actions.append(_forget(agenda, hold) if dice.one(2) else _end(agenda, hold, "collected"))
        elif dice.one(3) == 0:
            actions.append(_end(agenda, hold, "collected" if dice.one(2) else "cancelled"))
    for at, row in enumerate(pool.take(rates.count("pickups", n), fits)):
        actions.append(_order(agenda, row, 1 + dice.one(2), has_till=at % 3 > 0, is_paid=at % 3 == 2))
    for row in pool.take(rates.count("till_holds", n), fits):
        actions.append(_set_aside(agenda, row, 1 + dice.one(2)))
    return actions


def _order(agenda: Agenda, row: int, quantity: int, *, has_till: bool, is_paid: bool) -> Action:
    chronicle, memory, item = agenda.scene.chronicle, agenda.scene.memory, int(agenda.scene.shelves.item[row])
    number, line = chronicle.mint("shopify_order"), chronicle.mint("shopify_line")
    till = chronicle.mint("square_order") if has_till else -1
    unit = int(agenda.state.prices["shopify", "eur"][item])
    sold = move(agenda, row, "sale", -quantity, order=ids.square_order(till)) if is_paid else None

    def action(moment: datetime) -> None:
        order = OpenOrder(number, "", moment.isoformat(), [[line, row, quantity, unit]], True, till, is_paid)
        if sold:
            sold(moment)
        else:
            memory.committed[row] += quantity
        _take(agenda, row, quantity)
        chronicle.open_orders.append(order)
        put_order(agenda, order, "open", moment)
        _show_till(agenda, order, "placed", moment)

    return action


def _close(agenda: Agenda, order: OpenOrder, state: OrderState) -> Action:
    """It is collected, or called off; of what was paid at the till ahead, the till takes its units back itself."""
    memory, (_, row, quantity, _) = agenda.scene.memory, order.lines[0]
    is_off = order.is_paid and state == "cancelled"
    back = move(agenda, row, "return", quantity, order=ids.square_order(order.till)) if is_off else None

    def action(moment: datetime) -> None:
        if not order.is_paid:
            memory.committed[row] -= 0 if order.is_released else quantity
            memory.unseen[row] += quantity if state == "fulfilled" else 0
        if state == "cancelled":
            _take(agenda, row, -quantity)
        if back:
            back(moment)
        agenda.scene.chronicle.open_orders.remove(order)
        put_order(agenda, order, state, moment)
        is_orphan = state == "cancelled" and not order.is_paid and order.number % 2 == 0
        if not is_orphan:
            _show_till(agenda, order, "collected" if state == "fulfilled" else "cancelled", moment)

    return action


def _release(agenda: Agenda, order: OpenOrder) -> Action:
    """Nobody came: no record changes, and what was held is for sale again."""
    memory, (_, row, quantity, _) = agenda.scene.memory, order.lines[0]

    def action(_: datetime) -> None:
        order.is_released = True
        memory.committed[row] -= 0 if order.is_paid else quantity

    return action


def _take(agenda: Agenda, row: int, quantity: int) -> None:
    """The webshop's own counter moves with its order."""
    memory = agenda.scene.memory
    agenda.state.available[row] -= quantity
    memory.available[row] -= quantity if memory.available[row] != NONE else 0


def _set_aside(agenda: Agenda, row: int, quantity: int) -> Action:
    number = agenda.scene.chronicle.mint("square_order")

    def action(moment: datetime) -> None:
        hold = TillHold(number, row, quantity, moment.isoformat(), (moment + _TILL_KEEPS).isoformat())
        agenda.scene.memory.committed[row] += quantity
        agenda.scene.chronicle.holds.append(hold)
        _show_hold(agenda, hold, "placed", moment)

    return action


def _end(agenda: Agenda, hold: TillHold, state: PickupState) -> Action:
    sold = move(agenda, hold.row, "sale", -hold.quantity, order=ids.square_order(hold.number))

    def action(moment: datetime) -> None:
        agenda.scene.memory.committed[hold.row] -= hold.quantity
        if state == "collected":
            sold(moment)
        agenda.scene.chronicle.holds.remove(hold)
        _show_hold(agenda, hold, state, moment)

    return action


def _forget(agenda: Agenda, hold: TillHold) -> Action:
    """Past its own expiry; the till's record stays as it is."""

    def action(_: datetime) -> None:
        agenda.scene.memory.committed[hold.row] -= hold.quantity
        agenda.scene.chronicle.holds.remove(hold)

    return action


def _show_hold(agenda: Agenda, hold: TillHold, state: PickupState, moment: datetime) -> None:
    pickup = Pickup(state, expires_at=datetime.fromisoformat(hold.expires_at))
    _put_till(agenda, hold.number, hold.row, hold.quantity, pickup, datetime.fromisoformat(hold.created_at), moment)


def _show_till(agenda: Agenda, order: OpenOrder, state: PickupState, moment: datetime) -> None:
    """The till's order that was made for a web order, if there is one."""
    if order.till < 0:
        return
    _, row, quantity, _ = order.lines[0]
    pickup = Pickup(state, reference=ids.shopify_order(order.number))
    _put_till(agenda, order.till, row, quantity, pickup, datetime.fromisoformat(order.created_at), moment)


def _put_till(
    agenda: Agenda, number: int, row: int, quantity: int, pickup: Pickup, created: datetime, moment: datetime
) -> None:
    scene = agenda.scene
    item, place = int(scene.shelves.item[row]), scene.shelves.places[int(scene.shelves.location[row])]
    prices = scene.catalogue.chf if place.currency == "CHF" and scene.catalogue.chf[item] else scene.catalogue.eur
    line = Line(ids.square_line(number, 0), ids.square_variation(item), quantity, int(prices[item]))
    agenda.outbox.orders["square", ids.square_order(number)] = Order(
        ids.square_order(number), place.square, "", place.currency, (line,), created, moment,
        _ORDER_STATES[pickup.state], pickup,
    )
