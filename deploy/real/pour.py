"""Pours a retailer's items, customers and sales into an Odoo and a Vendure by their own APIs, both at once.

Both hold the same when it is done: differences are planted afterwards (`plant`). Odoo sells the orders at its tills, so
it is filled with what is left and what was sold; Vendure with what is left.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from deploy.real import odoo_seed, vendure_seed
from deploy.real.odoo_api import OdooApi
from deploy.real.odoo_orders import load_history
from deploy.real.retail import SHOPS, Retail
from deploy.real.vendure_api import VendureApi


@dataclass(frozen=True, slots=True)
class Poured:
    """Both systems' ids of everything: items by SKU, people by e-mail address, places by shop."""

    retail: Retail
    odoo: OdooApi
    vendure: VendureApi
    warehouses: Mapping[str, odoo_seed.Shop]
    locations: Mapping[str, str]
    products: Mapping[str, int]
    variants: Mapping[str, str]
    partners: Mapping[str, int]
    customers: Mapping[str, str]
    mailing_list: int
    orders: Mapping[str, int] = field(default_factory=dict)


TOLD_EVERY_SECONDS = 30


@dataclass
class Progress:
    """Says how far a long part is, at most once in half a minute."""

    say: Callable[[str], None]
    said_at: float = field(default_factory=time.monotonic)

    def __call__(self, what: str, done: int, whole: int) -> None:
        """`done` of `whole` are loaded."""
        if time.monotonic() - self.said_at >= TOLD_EVERY_SECONDS:
            self.said_at = time.monotonic()
            self.say(f"{done:,} of {whole:,} {what}")


def pour(retail: Retail, odoo: OdooApi, vendure: VendureApi, say: Callable[[str], None]) -> Poured:
    """Fill both; RuntimeError with a server's words where it refuses. `say` hears how far it is."""
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(_into_odoo, retail, odoo, Progress(say))
        other = pool.submit(_into_vendure, retail, vendure)
        warehouses, products, partners, orders = one.result()
        locations, variants, customers = other.result()
    people = {row.email: customers[row.email.lower()] for row in retail.customers}
    return Poured(
        retail, odoo, vendure, warehouses, locations, products, variants, partners, people,
        odoo_seed.mailing_list(odoo, "Newsletter"), orders,
    )


def _into_odoo(
    retail: Retail, api: OdooApi, told: Progress
) -> tuple[Mapping[str, odoo_seed.Shop], Mapping[str, int], Mapping[str, int], Mapping[str, int]]:
    warehouses = odoo_seed.open_shops(api, SHOPS)
    products = odoo_seed.load_catalogue(api, retail.before_sales(), warehouses)
    partners = odoo_seed.load_customers(api, retail.customers)
    return warehouses, products, partners, load_history(api, retail.orders, warehouses, products, partners, told)


def _into_vendure(
    retail: Retail, api: VendureApi
) -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]:
    locations = vendure_seed.open_shop(api, SHOPS)
    variants = vendure_seed.load_catalogue(api, retail.items, locations)
    return locations, variants, {email.lower(): key for email, key in
                                 vendure_seed.load_customers(api, retail.customers).items()}
