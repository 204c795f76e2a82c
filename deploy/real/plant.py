"""A day in the real estate: people change things in Odoo and in Vendure, and what each must hold after the next night.

Both are asked by their own APIs, not by the connectors. Each kind of difference is planted a few times, on records of
its own, so that no two of them meet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from deploy.real import odoo_seed, vendure_orders, vendure_seed
from deploy.real.odoo_orders import load_orders
from deploy.real.pour import Poured
from deploy.real.retail import Retail, ean13
from deploy.real.rows import CatalogueRow, CustomerRow, OrderLine, OrderRow

TIMES = 4
"""Records of each kind."""
ITEMS, PEOPLE = 5 * TIMES, 7 * TIMES
"""So many a day takes: prices edited online and four kinds of change to items; seven to people who said yes."""
SOLD_AT = "2026-02-01 10:00:00"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a system must hold after the night: where, of what, how to ask it, and the right answer."""

    system: str
    what: str
    ask: Callable[[], Any]
    wanted: Any

    def fault(self) -> str:
        """What it holds instead; '' where all is well."""
        found = self.ask()
        return "" if found == self.wanted else f"{self.system}: {self.what}: {found!r}, wanted {self.wanted!r}"


@dataclass(frozen=True, slots=True)
class Edited:
    """A price edited by hand in the webshop, which waits for a person; what both must hold after the answer."""

    variant: str
    answer: str
    """approve: back to what it was; accept-theirs: the edit becomes the truth."""
    expected: tuple[Expected, ...]


def too_few(retail: Retail) -> str:
    """Why a day cannot be lived with what is to be loaded; '' where it can."""
    items, people = len(retail.items), len(list(_askable(retail.customers)))
    if items >= ITEMS and people >= PEOPLE:
        return ""
    return (f"too little for a day: {items} items and {people} customers who said yes, "
            f"where it takes {ITEMS} and {PEOPLE}")


def live_a_day(estate: Poured) -> list[Expected]:
    """Change things in both; returns what the next night must have put right."""
    items, people = iter(estate.retail.items[TIMES:]), _askable(estate.retail.customers)
    expected: list[Expected] = []
    for _ in range(TIMES):
        expected += _price_at_the_till(estate, next(items))
        expected += _barcode_online(estate, next(items))
        expected += _sold_at_the_till(estate, next(items))
        expected += _sold_online(estate, next(items), next(people))
        expected += _phone(estate, next(people))
        expected += _street(estate, next(people))
        expected += _points(estate, next(people))
        expected += _opt_out_online(estate, next(people))
        expected += _opt_out_in_odoo(estate, next(people))
        expected += _blacklisted(estate, next(people))
    return expected


def edit_prices_online(estate: Poured) -> list[Edited]:
    """Edit prices by hand where they are not the truth: nobody but a person can say who is right."""
    found = []
    for place, item in enumerate(estate.retail.items[:TIMES]):
        product, variant, edited = estate.products[item.sku], estate.variants[item.sku], item.gross_minor + 20
        vendure_seed.set_price(estate.vendure, variant, edited)
        answer = "approve" if place % 2 else "accept-theirs"
        right = item.gross_minor if answer == "approve" else edited
        found.append(Edited(variant, answer, (
            Expected("vendure", f"an edited price, {answer}",
                     lambda variant=variant: vendure_seed.price_of(estate.vendure, variant), right),
            Expected("odoo", f"an edited price, {answer}",
                     lambda product=product: odoo_seed.price(estate.odoo, product), right),
        )))
    return found


def _askable(customers: list[CustomerRow]) -> Iterator[CustomerRow]:
    """Those who said yes: only a yes can be taken back."""
    return iter([row for row in customers if row.consent])


def _price_at_the_till(estate: Poured, item: CatalogueRow) -> Iterator[Expected]:
    """The source of truth moved: the webshop follows."""
    product, variant, now = estate.products[item.sku], estate.variants[item.sku], item.gross_minor + 10
    odoo_seed.set_price(estate.odoo, product, now)
    yield Expected("vendure", "a price changed in Odoo", lambda: vendure_seed.price_of(estate.vendure, variant), now)
    yield Expected("odoo", "a price changed there", lambda: odoo_seed.price(estate.odoo, product), now)


def _barcode_online(estate: Poured, item: CatalogueRow) -> Iterator[Expected]:
    """Barcodes are the webshop's word here: Odoo follows."""
    product, variant, barcode = estate.products[item.sku], estate.variants[item.sku], ean13(f"28{item.barcode[2:12]}")
    vendure_seed.set_barcode(estate.vendure, variant, barcode)
    yield Expected(
        "odoo", "a barcode changed in Vendure",
        lambda: estate.odoo.value("product.product", product, "barcode"), barcode,
    )


def _sold_at_the_till(estate: Poured, item: CatalogueRow) -> Iterator[Expected]:
    """A sale that the till counted: the webshop offers as many fewer."""
    shop = "Paris"
    variant, place = estate.variants[item.sku], estate.locations[shop]
    order = OrderRow(f"day-{item.sku}", shop, SOLD_AT, (OrderLine(item.sku, 2, item.gross_minor),))
    load_orders(estate.odoo, [order], estate.warehouses, estate.products, estate.partners)
    yield Expected(
        "vendure", "units sold in a shop", lambda: vendure_seed.stock_of(estate.vendure, variant)[place],
        (item.stock[shop] - 2, 0),
    )


def _sold_online(estate: Poured, item: CatalogueRow, person: CustomerRow) -> Iterator[Expected]:
    """An order of the webshop that has left the house: the till, which counts, is told."""
    product, variant = estate.products[item.sku], estate.variants[item.sku]
    before = vendure_seed.stock_of(estate.vendure, variant)
    order = vendure_orders.place_order(estate.vendure, estate.customers[person.email], {variant: 3})
    vendure_orders.fulfil(estate.vendure, {vendure_orders.lines_of(estate.vendure, order)[variant]: 3})
    after = vendure_seed.stock_of(estate.vendure, variant)
    left_from = {shop: before[place][0] - after[place][0] for shop, place in estate.locations.items()}
    if sum(left_from.values()) != 3:
        raise RuntimeError(f"3 units were sent from the webshop; its shelves have {sum(left_from.values())} fewer")
    for shop, gone in left_from.items():
        if gone:
            warehouse, left = estate.warehouses[shop], item.stock[shop] - gone
            yield Expected(
                "odoo", "units sold online",
                lambda warehouse=warehouse: odoo_seed.level(estate.odoo, product, warehouse), left,
            )


def _phone(estate: Poured, person: CustomerRow) -> Iterator[Expected]:
    """A customer's field, of which the CRM is the source."""
    customer, now = estate.customers[person.email], person.phone[:-2] + "00"
    odoo_seed.set_partner(estate.odoo, estate.partners[person.email], "phone", now)
    yield Expected(
        "vendure", "a phone changed in Odoo", lambda: _digits(_customer(estate, customer, "phoneNumber")), _digits(now)
    )


def _street(estate: Poured, person: CustomerRow) -> Iterator[Expected]:
    """The address that a customer gave at the checkout."""
    partner, now = estate.partners[person.email], f"{person.street} bis"
    vendure_seed.set_street(estate.vendure, estate.customers[person.email], now)
    yield Expected(
        "odoo", "a street changed in Vendure", lambda: odoo_seed.partner(estate.odoo, partner, "street"), now
    )


def _points(estate: Poured, person: CustomerRow) -> Iterator[Expected]:
    """Points earned at the till."""
    customer, now = estate.customers[person.email], (person.points or 0) + 50
    odoo_seed.set_points(estate.odoo, estate.partners[person.email], now)
    yield Expected("vendure", "points earned in Odoo",
                   lambda: _customer(estate, customer, "customFields")["loyaltyPoints"], now)


def _opt_out_online(estate: Poured, person: CustomerRow) -> Iterator[Expected]:
    """A no in the webshop reaches the mailing list and, as the estate maps it to the same purpose, the blacklist."""
    vendure_seed.set_customer(
        estate.vendure, estate.customers[person.email], customFields={"emailConsent": False}
    )
    yield Expected(
        "odoo", "an opt-out in Vendure",
        lambda: odoo_seed.is_opted_out(estate.odoo, person.email, estate.mailing_list), True,
    )
    yield Expected(
        "odoo", "an opt-out in Vendure, on the blacklist",
        lambda: odoo_seed.is_blacklisted(estate.odoo, person.email), True,
    )


def _opt_out_in_odoo(estate: Poured, person: CustomerRow) -> Iterator[Expected]:
    """A no by the mailing's own link reaches the webshop."""
    odoo_seed.set_opt_out(estate.odoo, person.email, estate.mailing_list, True)
    yield _no_in_vendure(estate, person, "an opt-out in Odoo")


def _blacklisted(estate: Poured, person: CustomerRow) -> Iterator[Expected]:
    """A ban on all mail reaches the webshop."""
    odoo_seed.add_to_blacklist(estate.odoo, [person.email])
    yield _no_in_vendure(estate, person, "an address blacklisted in Odoo")


def _no_in_vendure(estate: Poured, person: CustomerRow, what: str) -> Expected:
    customer = estate.customers[person.email]
    return Expected("vendure", what, lambda: _customer(estate, customer, "customFields")["emailConsent"], False)


def _customer(estate: Poured, customer: str, field: str) -> Any:
    return vendure_seed.customer_of(estate.vendure, customer)[field]


def _digits(phone: str | None) -> str:
    """The last nine: how a country's prefix is written is nobody's difference."""
    return "".join(filter(str.isdigit, phone or ""))[-9:]
