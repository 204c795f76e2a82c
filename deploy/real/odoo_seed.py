"""Fills an Odoo with items, stock and customers by its own API, plants differences, and reads values for checking.

In big batches, as an importer would: one call makes hundreds of records. Orders of the till are in `odoo_orders`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from deploy.real.odoo_api import OdooApi
from deploy.real.rows import CatalogueRow, CustomerRow

AT_ONCE = 500
"""Records in one call: about ten seconds at most."""
CURRENCY, COUNTRY = "EUR", "FR"
_COUNTING = {"inventory_mode": True}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop is a warehouse: the level of an item is that of all its shelves, and new units go to its stock room."""

    warehouse: int
    room: int


def chunks(rows: Sequence[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


def open_shops(api: OdooApi, names: Sequence[str]) -> dict[str, Shop]:
    """A company in euros, and one warehouse a shop; the first that Odoo has made itself is renamed."""
    company = api.find("res.users", [["id", "=", api.call("res.users", "context_get")["uid"]]], "company_id")[0]
    currency = api.find("res.currency", [["name", "=", CURRENCY]], "active", "name")[0]
    country = api.find("res.country", [["code", "=", COUNTRY]], "code")[0]
    api.write("res.currency", [currency["id"]], {"active": True})
    if api.value("res.company", company["company_id"], "currency_id") != currency["id"]:
        api.write(
            "res.company", [company["company_id"]], {"currency_id": currency["id"], "country_id": country["id"]}
        )
    there = {each["name"]: each for each in api.find("stock.warehouse", [], "name", "lot_stock_id")}
    spare = [name for name in there if name not in names]
    for name in names:
        if name in there:
            continue
        if spare:
            one = there.pop(spare.pop(0))
            api.write("stock.warehouse", [one["id"]], {"name": name})
        else:
            used = {each["code"] for each in api.find("stock.warehouse", [], "code")}
            code = next(code for number in range(1000) if (code := f"{name[:2].upper()}{number}") not in used)
            api.create("stock.warehouse", [{"name": name, "code": code}])
    made = api.find("stock.warehouse", [["name", "in", list(names)]], "name", "lot_stock_id")
    return {each["name"]: Shop(each["id"], each["lot_stock_id"]) for each in made}


def load_catalogue(api: OdooApi, rows: Sequence[CatalogueRow], shops: Mapping[str, Shop]) -> dict[str, int]:
    """One storable product a row, its price with tax, its units in each shop; product ids by SKU."""
    taxes = {rate: _tax(api, rate) for rate in sorted({row.tax_rate_bp for row in rows})}
    products: dict[str, int] = {}
    for some in chunks(rows):
        made = api.create("product.product", [_product(row, taxes[row.tax_rate_bp]) for row in some])
        products |= {row.sku: product for row, product in zip(some, made, strict=True)}
    levels = [(products[row.sku], shops[shop], units) for row in rows for shop, units in row.stock.items() if units]
    for part in chunks(levels):
        # What lies there from the beginning needs no count: a third of the time.
        api.create("stock.quant", [
            {"product_id": product, "location_id": shop.room, "quantity": units} for product, shop, units in part
        ])
    return products


def _product(row: CatalogueRow, tax: int) -> dict[str, Any]:
    return {
        "name": row.name, "default_code": row.sku, "barcode": row.barcode or False, "list_price": row.gross_minor / 100,
        "is_storable": True, "available_in_pos": True, "taxes_id": [[6, 0, [tax]]],
    }


def _tax(api: OdooApi, rate_bp: int) -> int:
    """The tax of sale of this rate that is in the price; made where there is none."""
    name = f"TVA {rate_bp / 100:g} %"
    found = api.find("account.tax", [["name", "=", name], ["type_tax_use", "=", "sale"]], "name")
    if found:
        return int(found[0]["id"])
    return api.create("account.tax", [{
        "name": name, "amount": rate_bp / 100, "amount_type": "percent", "type_tax_use": "sale",
        "price_include_override": "tax_included",
    }])[0]


def load_customers(api: OdooApi, rows: Sequence[CustomerRow], *, list_name: str = "Newsletter") -> dict[str, int]:
    """One partner a row; a subscription where consent was ever asked, a loyalty card where there are points.

    Partner ids by e-mail address.
    """
    country = api.find("res.country", [["code", "=", COUNTRY]], "code")[0]["id"]
    mailing, program = mailing_list(api, list_name), loyalty_program(api)
    partners: dict[str, int] = {}
    for some in chunks(rows):
        made = api.create("res.partner", [_partner(row, country) for row in some])
        partners |= {row.email: partner for row, partner in zip(some, made, strict=True)}
        api.create("mailing.contact", [
            {"name": f"{row.first_name} {row.last_name}", "email": row.email,
             "subscription_ids": [[0, 0, {"list_id": mailing, "opt_out": not row.consent}]]}
            for row in some if row.consent is not None
        ])
        api.create("loyalty.card", [
            {"program_id": program, "partner_id": partners[row.email], "points": row.points}
            for row in some if row.points is not None
        ], loyalty_no_mail=True)
    return partners


def _partner(row: CustomerRow, country: int) -> dict[str, Any]:
    return {
        "name": f"{row.first_name} {row.last_name}", "email": row.email, "phone": row.phone or False,
        "street": row.street or False, "city": row.city or False, "zip": row.postcode or False, "country_id": country,
        "barcode": row.card or False,
    }


def mailing_list(api: OdooApi, name: str) -> int:
    """The id of a mailing list, made where it is not there."""
    found = api.find("mailing.list", [["name", "=", name]], "name")
    return int(found[0]["id"]) if found else api.create("mailing.list", [{"name": name}])[0]


def loyalty_program(api: OdooApi, name: str = "Fidélité") -> int:
    """The id of the loyalty program, made where it is not there."""
    found = api.find("loyalty.program", [["program_type", "=", "loyalty"]], "name")
    if found:
        return int(found[0]["id"])
    return api.create("loyalty.program", [{"name": name, "program_type": "loyalty", "pos_ok": True}])[0]


# -- planting differences, and reading values -----------------------------------------------------------------


def set_price(api: OdooApi, product: int, gross_minor: int) -> None:
    """A sales price, as typed into the product's form."""
    api.write("product.product", [product], {"list_price": gross_minor / 100})


def price(api: OdooApi, product: int) -> int:
    """The sales price in cents."""
    return round(api.value("product.product", product, "lst_price") * 100)


def set_level(api: OdooApi, product: int, shop: Shop, units: int) -> None:
    """A level, as counted in the stock room."""
    quants = api.create(
        "stock.quant", [{"product_id": product, "location_id": shop.room, "inventory_quantity": units}], **_COUNTING
    )
    api.call("stock.quant", "action_apply_inventory", ids=quants)


def level(api: OdooApi, product: int, shop: Shop) -> int:
    """Units of a product in a shop, by Odoo's own sum over its shelves."""
    found = api.call(
        "product.product", "read", ids=[product], fields=["qty_available"], context={"warehouse_id": shop.warehouse}
    )
    return round(found[0]["qty_available"])


def set_partner(api: OdooApi, partner: int, field: str, value: str) -> None:
    """A field of a partner."""
    api.write("res.partner", [partner], {field: value})


def partner(api: OdooApi, record: int, field: str) -> Any:
    """A field of a partner; `false` where it is empty."""
    return api.value("res.partner", record, field)


def set_opt_out(api: OdooApi, email: str, list_id: int, is_out: bool) -> None:
    """Opt an address out of a list, or in again."""
    api.write("mailing.subscription", [_subscription(api, email, list_id)["id"]], {"opt_out": is_out})


def is_opted_out(api: OdooApi, email: str, list_id: int) -> bool:
    """Whether an address has opted out of a list."""
    return bool(_subscription(api, email, list_id)["opt_out"])


def _subscription(api: OdooApi, email: str, list_id: int) -> dict[str, Any]:
    domain = [["contact_id.email", "=ilike", email], ["list_id", "=", list_id]]
    return api.find("mailing.subscription", domain, "opt_out")[0]


def add_to_blacklist(api: OdooApi, emails: Sequence[str]) -> None:
    """Forbid all mail to addresses."""
    api.create("mail.blacklist", [{"email": email} for email in emails])


def take_off_blacklist(api: OdooApi, email: str) -> None:
    """Allow mail to an address again, as its form does: the entry is archived."""
    found = api.find("mail.blacklist", [["email", "=", email.lower()]], "active")
    api.write("mail.blacklist", [each["id"] for each in found], {"active": False})


def is_blacklisted(api: OdooApi, email: str) -> bool:
    """Whether all mail to an address is forbidden."""
    found = api.find("mail.blacklist", [["email", "=", email.lower()]], "active")
    return any(each["active"] for each in found)


def set_points(api: OdooApi, partner_id: int, points: float) -> None:
    """The points of a partner's loyalty card."""
    api.write("loyalty.card", [_card(api, partner_id)["id"]], {"points": points}, loyalty_no_mail=True)


def points(api: OdooApi, partner_id: int) -> float:
    """The points of a partner's loyalty card."""
    return float(_card(api, partner_id)["points"])


def _card(api: OdooApi, partner_id: int) -> dict[str, Any]:
    return api.find("loyalty.card", [["partner_id", "=", partner_id]], "points")[0]
