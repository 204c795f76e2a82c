"""Items that somebody deletes in one system, while the others go on: their prices and levels move as before.

Deleted are goods that nothing waits on; in the shop, first of all such as are promised to somebody: that order is sent
before, and the till must be told of it all the same. Whatever the others do that day would be drift of the dead record
to whoever still believes in it, and none of it is. What was deleted on earlier days is touched again now and then.
"""

import numpy as np

from sandbox.world import ids
from sandbox.world.agenda import Action, Agenda, Pool
from sandbox.world.chronicle import Gone
from sandbox.world.dice import Bools, Dice
from sandbox.world.items import VENDOR_LISTS
from sandbox.world.settings import MOST_GONE, DayRates, night_date
from sandbox.world.state import BAD, NONE
from sandbox.world.truth_stock import stock_drift

SELLERS = ("shopify", "hubspot", "square")
SHOP_CLOSES = 20 * 60
"""The minute after which things are deleted; what was promised of them has been sent by then."""


def delete_items(
    agenda: Agenda, pool: Pool, calm: Bools, rates: DayRates, away: frozenset[str]
) -> list[tuple[str, int]]:
    """Choose what is deleted today, and plan that it happens; (system, variant) of each.

    Not in a system that was `away` last night: what it had sold by then of a deleted record nobody could ever learn.
    """
    chosen: list[tuple[str, int]] = []
    for system in (name for name in SELLERS if name not in away):
        wanted = min(rates.count("deleted_items", len(calm)), _left(agenda, system))
        sold = agenda.state.prices[system, "eur"] > BAD
        numbers = pool.take(wanted, sold & _promised(agenda)) if system == "shopify" else []
        numbers += pool.take(wanted - len(numbers), sold & calm)
        for number in numbers:
            _forget(agenda, system, number)
            agenda.scene.chronicle.gone.append(
                Gone(system, "items", ids.item_key(system, number), "deleted", agenda.night)
            )
            chosen.append((system, number))
    return chosen


def _promised(agenda: Agenda) -> Bools:
    """Variants whose open web orders are of one line each, and whose levels are all as they ought to be."""
    scene = agenda.scene
    drift = stock_drift(scene.shelves, agenda.state, scene.memory)
    found = np.zeros(len(scene.catalogue), dtype=np.bool_)
    for is_single in (True, False):  # one order of several lines is enough to leave its goods alone
        for order in scene.chronicle.open_orders:
            if (len(order.lines) == 1) == is_single:
                found[scene.shelves.item[[line[1] for line in order.lines]]] = is_single
    found[scene.shelves.item[drift.square_differs | drift.shopify_differs]] = False
    found[scene.shelves.item[scene.chronicle.waiting_rows]] = False
    return found


def deletion(agenda: Agenda, system: str, number: int) -> Action:
    """It leaves the system's lists."""
    return lambda _: agenda.outbox.gone.append((system, "items", ids.item_key(system, number)))


def deleted_before(agenda: Agenda, dice: Dice, taken: Bools, count: int) -> list[int]:
    """Variants deleted on earlier days, some of each system; none that is `taken` today, or part of a promotion."""
    chronicle, today = agenda.scene.chronicle, night_date(
        agenda.night - 1, agenda.scene.chronicle.settings.first_night
    ).isoformat()
    promoted = {number for one in chronicle.promotions if one.ends_on >= today for number in one.items}
    found: dict[int, None] = {}
    for system in SELLERS:
        own = [
            ids.item_number(system, one.key) for one in chronicle.gone
            if (one.kind, one.system) == ("items", system) and one.night < agenda.night
        ]
        own = [number for number in own if not taken[number] and number not in promoted]
        found |= dict.fromkeys(own[at] for at in dice.order(len(own)).tolist()[:count])
    return list(found)


def lives_on(agenda: Agenda, number: int) -> str:
    """The system whose EUR price of a variant is the truth now; '' where nobody sells it."""
    for system in ("square", "shopify"):
        if agenda.state.prices[system, "eur"][number] > BAD:
            return system
    return ""


def _left(agenda: Agenda, system: str) -> int:
    """How many more may be deleted in a system."""
    catalogue, gone = agenda.scene.catalogue, agenda.scene.chronicle.is_gone("items")
    made = {"square": catalogue.in_square, "shopify": catalogue.in_shopify, "hubspot": catalogue.in_hubspot}[system]
    return max(0, int(MOST_GONE * int(made.sum())) - sum(owner == system for owner, _ in gone))


def _forget(agenda: Agenda, system: str, number: int) -> None:
    """The state without the record, so that nobody touches it any more."""
    state, shelves = agenda.state, agenda.scene.shelves
    for owner, name in VENDOR_LISTS:
        if owner == system:
            state.prices[owner, name][number] = NONE
    if system == "shopify":
        state.compare_at[number] = NONE
    if system in ("square", "shopify"):
        levels = state.on_hand if system == "square" else state.available
        levels[np.flatnonzero(shelves.item == number)] = NONE


def rows_of(agenda: Agenda, system: str) -> Bools:
    """Shelf rows of what is deleted in a system."""
    gone = agenda.scene.chronicle.is_gone("items")
    numbers = [ids.item_number(system, key) for owner, key in gone if owner == system]
    return np.isin(agenda.scene.shelves.item, np.asarray(numbers, dtype=np.int64))


