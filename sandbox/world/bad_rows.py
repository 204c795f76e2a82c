"""Dirt that must go to quarantine: what each kind of bad row looks like in each system, as records to put.

Items are spoilt as a whole (`chronicle.spoilt`): nothing else is planted on them, so that a quarantined row never
hides drift. Customers who are spoilt are known to one system alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sandbox.records import Consent, Customer, Item, Price
from sandbox.world import ids
from sandbox.world.catalogue import Catalogue
from sandbox.world.chronicle import BadRow, Chronicle
from sandbox.world.items import VENDOR_LISTS, item_of

_LONG = "Très long " * 600
_BELL = "\u0007"


@dataclass(slots=True)
class Dirt:
    """Records to put into one system, and the rows they make bad."""

    system: str
    items: list[Item] = field(default_factory=list)
    prices: list[Price] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    rows: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ItemKind:
    """One kind of bad item row. `needs_single`: the title belongs to the product, so it must have one variant."""

    system: str
    entity: str
    field: str
    note: str
    needs_single: bool = False


ITEM_KINDS = (
    ItemKind("shopify", "items", "sku", "blank SKU"),
    ItemKind("square", "prices", "amount", "negative price"),
    ItemKind("hubspot", "prices", "amount", "comma decimal"),
    ItemKind("shopify", "items", "sku", "duplicate SKU"),
    ItemKind("square", "prices", "currency", "unknown currency"),
    ItemKind("hubspot", "items", "title", "control characters"),
    ItemKind("shopify", "prices", "amount", "comma decimal"),
    ItemKind("square", "items", "title", "over-long text", needs_single=True),
    ItemKind("hubspot", "items", "sku", "blank SKU"),
    ItemKind("shopify", "prices", "amount", "negative price"),
    ItemKind("square", "items", "sku", "blank SKU"),
)
CUSTOMER_KINDS = (
    ("square", "email", "invalid e-mail"), ("shopify", "last_name", "control characters"),
    ("hubspot", "first_name", "over-long text"), ("hubspot", "email", "invalid e-mail"),
    ("square", "last_name", "control characters"), ("mailchimp", "first_name", "control characters"),
    ("shopify", "email", "invalid e-mail"),
)


def bad_item(kind: ItemKind, catalogue: Catalogue, number: int, price: int, chronicle: Chronicle) -> Dirt:
    """One bad item row on variant `number`, sold at `price` there (duplicate SKU: on two variants of its own)."""
    dirt, key = Dirt(kind.system), ids.item_key(kind.system, number)
    record = item_of(catalogue, kind.system, number)
    if kind.entity == "prices":
        amount: int | str = {"negative price": -price, "comma decimal": "12,50"}.get(kind.note, price)
        vendor_list = VENDOR_LISTS[kind.system, "eur"]
        dirt.prices.append(Price(key, vendor_list, "ZZZ" if kind.note == "unknown currency" else "EUR", amount))
        dirt.rows.append(BadRow(kind.system, "prices", kind.field, key, vendor_list, kind.note, number))
    elif kind.note == "duplicate SKU":
        extras = [len(catalogue) + chronicle.mint("extra_item") for _ in range(2)]
        for extra in extras:
            twin = replace(
                record, key=ids.shopify_variant(extra), parent=ids.shopify_product(extra), sku=f"DBL-{extras[0]:06d}",
                gtin="", inventory_key=ids.shopify_inventory(extra),
            )
            dirt.items.append(twin)
            dirt.prices.append(Price(twin.key, "base", "EUR", price))
            dirt.rows.append(BadRow(kind.system, "items", "sku", twin.key, "", kind.note))
    else:
        dirt.items.append(_SPOIL[kind.note](record))
        dirt.rows.append(BadRow(kind.system, "items", kind.field, key, "", kind.note, number))
    return dirt


_SPOIL: dict[str, Callable[[Item], Item]] = {
    "blank SKU": lambda record: replace(record, sku=""),
    "control characters": lambda record: replace(record, title=f"Promo{_BELL} {record.title}"),
    "over-long text": lambda record: replace(record, title=_LONG),
}


def bad_customer(kind: tuple[str, str, str], record: Customer, system: str) -> Dirt:
    """One bad customer row made of a sound record of a system that plays the kind's part."""
    _, name, note = kind
    value = {
        "invalid e-mail": f"{record.first_name}.{record.last_name}(at)courriel".lower().replace(" ", ""),
        "control characters": f"{record.last_name}{_BELL}",
        "over-long text": _LONG,
    }[note]
    spoilt = replace(record, **{name: value})
    if name == "email":
        spoilt = replace(spoilt, consent=Consent())
    row = BadRow(system, "customers", name, record.key, "", note)
    return Dirt(system, customers=[spoilt], rows=[row])
