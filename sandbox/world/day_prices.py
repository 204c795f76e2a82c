"""A day's price edits: in the till, by hand in the shop and the CRM, in both, guarded ones; promotions; new products.

Every variant is touched by one hand a day, and only while nothing of it is waiting for a decision, so that each row
of the truth has one cause.
"""

from datetime import datetime

import numpy as np

from sandbox.records import Price
from sandbox.world import ids
from sandbox.world.agenda import Action, Agenda, Pool
from sandbox.world.bad_rows import ITEM_KINDS, Dirt, bad_item
from sandbox.world.day_deletions import SHOP_CLOSES, delete_items, deleted_before, deletion, lives_on
from sandbox.world.dice import Bools, Dice
from sandbox.world.items import CURRENCIES, VENDOR_LISTS, item_of, shown_prices
from sandbox.world.memory import AUTHORITY
from sandbox.world.promotions import announce, promotion_record
from sandbox.world.settings import DayRates, WorldError, night_date
from sandbox.world.state import BAD, NONE
from sandbox.world.truth import Row, allowed
from sandbox.world.truth_prices import PriceDrift, compare_at_drift, price_drift
from sandbox.world.truth_stock import stock_drift

_FACTORS = (90, 92, 95, 96, 104, 106, 108, 112)
"""Per cent of the clean price; any two are less than a guard's jump apart."""
_BY_HAND = (93, 95, 97, 104, 106, 109)


def plan_prices(agenda: Agenda, rates: DayRates, earlier: list[Row], away: frozenset[str] = frozenset()) -> None:
    """All events of the day that are about items and their prices."""
    free, calm = _free(agenda)
    pool = Pool(agenda.dice("items"), free)
    n, dice = len(free), agenda.dice("prices")
    gone = delete_items(agenda, pool, calm, rates, away)
    has = {key: values > BAD for key, values in agenda.state.prices.items()}
    actions: list[Action] = []
    edits = rates.count("authority_price_edits", n)
    for list_name, count in (("jpy", max(1, edits // 8)), ("chf", max(1, edits // 6)), ("eur", edits)):
        fits = has[AUTHORITY[list_name], list_name] & (has["hubspot", list_name] | has["shopify", list_name])
        if list_name == "jpy":
            fits &= has["hubspot", "jpy"]
        if list_name == "eur" and agenda.scene.chronicle.settings.over_cap:
            count = _beyond_cap(agenda, pool)
        actions += [_authority_edit(agenda, dice, number, list_name) for number in pool.take(count, fits)]
    for number in pool.take(rates.count("both_price_edits", n)):
        factor = (105, 108)[dice.one(2)]
        actions.append(_set_relative(agenda, "square", "eur", number, factor))
        actions.append(_set_relative(agenda, "shopify", "eur", number, (94, 96)[dice.one(2)]))
    for number in pool.take(rates.count("shopify_price_edits", n)):
        list_name = "chf" if dice.one(3) == 0 and has["shopify", "chf"][number] else "eur"
        actions.append(_set_relative(agenda, "shopify", list_name, number, _BY_HAND[dice.one(len(_BY_HAND))]))
    for number in pool.take(rates.count("hubspot_price_edits", n), has["hubspot", "eur"]):
        actions.append(_set_relative(agenda, "hubspot", "eur", number, _BY_HAND[dice.one(len(_BY_HAND))]))
    actions += _guarded(agenda, pool, rates.count("guarded_prices", n))
    drift = price_drift(agenda.scene.catalogue, agenda.state.prices, agenda.scene.discount(agenda.night))
    unknown = agenda.state.prices["hubspot", "eur"] == NONE
    unknown[[ids.item_number(*one) for one in agenda.scene.chronicle.is_gone("items") if one[0] == "hubspot"]] = False
    actions += [_new_product(agenda, new, drift) for new in pool.take(rates.count("new_products", n), unknown)]
    actions += _bad_items(agenda, pool, rates, calm)
    for system, number in gone:
        agenda.at(SHOP_CLOSES + dice.one(60), deletion(agenda, system, number))
    taken = free & ~pool.free
    before = deleted_before(agenda, dice, taken, rates.count("edits_of_deleted_items", n))
    pool.free[before] = False
    actions += [edit for number in [*(one for _, one in gone), *before] for edit in _edit_beside(agenda, dice, number)]
    actions += _second_thoughts(agenda, dice, earlier)
    agenda.spread(dice, actions)
    agenda.at(dice.one(600), _announce(agenda, pool))


def _free(agenda: Agenda) -> tuple[Bools, Bools]:
    """Variants with nothing waiting on their prices; and those with nothing waiting at all."""
    scene, state = agenda.scene, agenda.state
    discount = scene.discount(agenda.night - 1)
    free = scene.catalogue.is_plain & (state.prices["shopify", "eur"] > BAD) & (state.prices["square", "eur"] > BAD)
    free[[number for number in scene.chronicle.spoilt if number < len(free)]] = False
    for drift in (*price_drift(scene.catalogue, state.prices, discount).values(),
                  compare_at_drift(scene.catalogue, state, discount)):
        free &= ~drift.differs
    for promotion in scene.chronicle.promotions:
        if promotion.ends_on >= night_date(agenda.night - 1, agenda.scene.chronicle.settings.first_night).isoformat():
            free[promotion.items] = False
    stock = stock_drift(scene.shelves, state, scene.memory)
    busy = stock.square_differs | stock.shopify_differs | (scene.memory.committed != 0)
    calm = np.ones(len(free), dtype=np.bool_)
    calm[scene.shelves.item[busy]] = False
    calm[scene.shelves.item[scene.chronicle.waiting_rows]] = False
    return free, calm


def _thin(agenda: Agenda) -> Bools:
    """Goods sold near their cost, where nothing is waiting."""
    catalogue, prices = agenda.scene.catalogue, agenda.state.prices
    thin = catalogue.is_thin & catalogue.in_square & ~catalogue.is_unpublished & (prices["shopify", "eur"] > BAD)
    drift = price_drift(catalogue, prices, agenda.scene.discount(agenda.night - 1))
    return thin & ~drift["shopify", "eur"].differs & ~drift["hubspot", "eur"].differs


def _beyond_cap(agenda: Agenda, pool: Pool) -> int:
    count = allowed(("shopify", "prices", "amount"), agenda.state.populations(agenda.scene.shelves)) + 5
    if int(pool.free.sum()) < count + 10:
        raise WorldError(f"over_cap needs at least {count + 10} ordinary variants; make the world larger")
    return count


def _set(agenda: Agenda, system: str, list_name: str, number: int, amount: int) -> Action:
    def action(_: datetime) -> None:
        agenda.state.prices[system, list_name][number] = amount
        key, vendor_list = ids.item_key(system, number), VENDOR_LISTS[system, list_name]
        price = Price(key, vendor_list, CURRENCIES[list_name], amount)
        if (system, list_name) == ("shopify", "eur") and agenda.state.compare_at[number] != NONE:
            price = Price(key, vendor_list, "EUR", amount, int(agenda.state.compare_at[number]))
        agenda.outbox.prices[system, key, vendor_list] = price

    return action


def _set_relative(agenda: Agenda, system: str, list_name: str, number: int, per_cent: int) -> Action:
    old = int(agenda.state.prices[system, list_name][number])
    new = old * per_cent // 100
    return _set(agenda, system, list_name, number, new if new != old else old + 5)


def _authority_edit(agenda: Agenda, dice: Dice, number: int, list_name: str) -> Action:
    system, catalogue = AUTHORITY[list_name], agenda.scene.catalogue
    clean = int(getattr(catalogue, list_name)[number])
    old = int(agenda.state.prices[system, list_name][number])
    choices = [new for factor in _FACTORS if (new := clean * factor // 100) != old]
    return _set(agenda, system, list_name, number, choices[dice.one(len(choices))])


def _guarded(agenda: Agenda, pool: Pool, count: int) -> list[Action]:
    """Prices that no guard lets through: zero, below cost, far away."""
    actions, thin = [], Pool(agenda.dice("thin"), _thin(agenda))
    for at in range(count):
        kind = at % 3
        chosen = thin.take(1) if kind == 1 else []
        chosen = chosen or pool.take(1)
        if chosen:
            is_thin = bool(agenda.scene.catalogue.is_thin[chosen[0]])
            per_cent = 80 if is_thin else (0, 160, 60)[kind]
            old = int(agenda.state.prices["square", "eur"][chosen[0]])
            actions.append(_set(agenda, "square", "eur", chosen[0], old * per_cent // 100))
    return actions


def _new_product(agenda: Agenda, number: int, drift: dict[tuple[str, str], PriceDrift]) -> Action:
    """The CRM learns of a product, with a mistyped price."""
    def action(moment: datetime) -> None:
        item = item_of(agenda.scene.catalogue, "hubspot", number)
        agenda.outbox.items["hubspot", item.key] = item
        for list_name in CURRENCIES:
            if int(drift["hubspot", list_name].authority[number]) > BAD:
                amount = int(drift["hubspot", list_name].golden[number])
                wrong = amount * 107 // 100 + 1 if list_name == "eur" else amount
                _set(agenda, "hubspot", list_name, number, wrong)(moment)

    return action


def _bad_items(agenda: Agenda, pool: Pool, rates: DayRates, calm: Bools) -> list[Action]:
    scene, actions = agenda.scene, []
    count = rates.count("bad_items", len(calm))
    shown = shown_prices(scene.catalogue)
    for at in range(count):
        kind = ITEM_KINDS[((agenda.night - 1) * count + at) % len(ITEM_KINDS)]
        fits = calm & (agenda.state.prices["hubspot", "eur"] > BAD)
        chosen = pool.take(1, fits & scene.catalogue.is_single if kind.needs_single else fits)
        for number in chosen:
            price = int(shown[kind.system, "eur"][number])
            dirt = bad_item(kind, scene.catalogue, number, price, scene.chronicle)
            scene.chronicle.bad += dirt.rows
            actions.append(_put_dirt(agenda, dirt))
    return actions


def _put_dirt(agenda: Agenda, dirt: Dirt) -> Action:
    def action(_: datetime) -> None:
        agenda.outbox.items |= {(dirt.system, item.key): item for item in dirt.items}
        agenda.outbox.prices |= {(dirt.system, price.item, price.list): price for price in dirt.prices}

    return action


def _edit_beside(agenda: Agenda, dice: Dice, number: int) -> list[Action]:
    """A new price, where it now comes from, of what another system has deleted; while nothing of it waits."""
    prices, system = agenda.state.prices, lives_on(agenda, number)
    drift = price_drift(agenda.scene.catalogue, prices, agenda.scene.discount(agenda.night - 1))
    if not system or any(one.differs[number] for one in drift.values()):
        return []
    if system == "square":
        return [_authority_edit(agenda, dice, number, "eur")]
    return [_set_relative(agenda, system, "eur", number, _BY_HAND[dice.one(len(_BY_HAND))])]


def _second_thoughts(agenda: Agenda, dice: Dice, earlier: list[Row]) -> list[Action]:
    """Half of the refused till prices are put right, a fifth of the hand edits are taken back."""
    actions, memory, prices = [], agenda.scene.memory, agenda.state.prices
    for row in earlier:
        if row.entity != "prices" or row.field != "amount" or row.system != "shopify" or row.vendor_sub_id != "base":
            continue
        number = ids.item_number("shopify", row.vendor_id)
        if prices["shopify", "eur"][number] <= BAD:
            continue
        if row.disposition == "must_refuse" and dice.one(2) and memory.seen["shopify", "eur"][number] > BAD:
            actions.append(_set(agenda, "square", "eur", number, int(memory.seen["shopify", "eur"][number])))
        elif row.drift_class == "here" and str(prices["shopify", "eur"][number]) == row.observed and not dice.one(5):
            actions.append(_set(agenda, "shopify", "eur", number, int(memory.price["shopify", "eur"][number])))
    return actions


def _announce(agenda: Agenda, pool: Pool) -> Action:
    scene = agenda.scene
    promotion = announce(scene.chronicle, agenda.dice("promotion"), scene.catalogue, pool.free, starts_in=2)
    scene.chronicle.promotions.append(promotion)
    pool.free[promotion.items] = False
    return lambda _: agenda.outbox.promotions.append(promotion_record(promotion))
