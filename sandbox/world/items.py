"""Turns the catalogue's arrays into the records that each vendor stores: items with their dirt, clean prices.

A few SKUs and GTINs are typed differently (case, blanks, a leading zero) in one system: the same thing to whoever
normalises before comparing, so none of it is drift.
"""

from collections.abc import Iterator

import numpy as np

from sandbox.records import Item, Price
from sandbox.world import ids
from sandbox.world.catalogue import Catalogue, to_gross, to_net
from sandbox.world.dice import Dice, Ints
from sandbox.world.places import SHOPIFY_CHF, SHOPIFY_JPY, SHOPIFY_USD, SQUARE_CHF, override_list
from sandbox.world.settings import WorldSettings
from sandbox.world.wares import COLLECTIONS, DEPARTMENTS, HOSTILE_TITLES


def title_of(catalogue: Catalogue, number: int) -> str:
    """The product's title, hostile ones included."""
    hostile = int(catalogue.hostile[number])
    if hostile >= 0:
        return HOSTILE_TITLES[hostile]
    department = DEPARTMENTS[int(catalogue.department[number])]
    noun = department.nouns[int(catalogue.noun[number]) % len(department.nouns)]
    quality = department.qualities[int(catalogue.quality[number]) % len(department.qualities)]
    return f"{noun} {quality} « {COLLECTIONS[int(catalogue.collection[number])]} »"


def sku_of(catalogue: Catalogue, number: int) -> str:
    """The SKU as the retailer writes it."""
    code = DEPARTMENTS[int(catalogue.department[number])].code
    return f"{code}-{int(catalogue.product[number]) + 1:06d}-{int(catalogue.option[number]) + 1}"


def item_of(catalogue: Catalogue, system: str, number: int) -> Item:
    """One variant as a system would hold it, without dirt."""
    department = DEPARTMENTS[int(catalogue.department[number])]
    product = int(catalogue.product[number])
    parent = {"square": ids.square_item(product), "shopify": ids.shopify_product(product)}
    key, gtin = ids.item_key(system, number), int(catalogue.gtin[number])
    hidden = system == "shopify" and bool(catalogue.is_unpublished[number])
    return Item(
        key=key, parent=parent.get(system, key), sku=sku_of(catalogue, number),
        gtin=f"{gtin:013d}" if gtin and system != "hubspot" else "", title=title_of(catalogue, number),
        option=department.options[int(catalogue.option[number])], category=department.name,
        vat_bp=int(catalogue.vat_bp[number]),
        tax="net" if system == "hubspot" or (system == "square" and catalogue.is_net[number]) else "gross",
        tracked=bool(catalogue.is_tracked[number]), kit=bool(catalogue.is_kit[number]),
        status="unpublished" if hidden else "active", cost=int(catalogue.cost[number]),
        inventory_key=ids.shopify_inventory(number) if system == "shopify" else "",
    )


def items_of(catalogue: Catalogue, settings: WorldSettings, system: str) -> Iterator[Item]:
    """Every variant that a system holds, some of them typed carelessly."""
    n = len(catalogue)
    present = {"square": catalogue.in_square, "shopify": catalogue.in_shopify, "hubspot": catalogue.in_hubspot}[system]
    kinds = Dice(settings.seed, "sku dirt", system).weighted([960, 15, 10, 10, 5], n)
    for number in np.flatnonzero(present).tolist():
        record, kind = item_of(catalogue, system, number), int(kinds[number])
        yield record if kind == 0 else _typed_carelessly(record, kind)


def _typed_carelessly(record: Item, kind: int) -> Item:
    sku, gtin = record.sku, record.gtin
    if kind == 1:
        sku = sku.lower()
    elif kind == 2:
        sku = f" {sku} "
    elif kind == 3 and gtin:
        gtin = "0" + gtin
    elif kind == 4 and gtin:
        gtin = f"{gtin[0]} {gtin[1:7]} {gtin[7:]}"
    return Item(**{name: getattr(record, name) for name in Item.__slots__} | {"sku": sku, "gtin": gtin})


def shown_prices(catalogue: Catalogue) -> dict[tuple[str, str], Ints]:
    """The clean price of every (system, our price list), in that system's basis; 0 where it holds none."""
    net, vat = catalogue.is_net, catalogue.vat_bp
    shopify, hubspot = catalogue.in_shopify, catalogue.in_hubspot
    result = {
        ("square", "eur"): np.where(catalogue.in_square, catalogue.eur, 0),
        ("square", "chf"): np.where(catalogue.in_square, catalogue.chf, 0),
        ("shopify", "jpy"): catalogue.jpy,
        ("hubspot", "jpy"): np.where(hubspot, to_net(catalogue.jpy, vat), 0),
    }
    for name, value in (("eur", catalogue.eur), ("chf", catalogue.chf)):
        result["shopify", name] = np.where(shopify, np.where(net, to_gross(value, vat), value), 0)
        result["hubspot", name] = np.where(hubspot, np.where(net, value, to_net(value, vat)), 0)
    return result


VENDOR_LISTS = {
    ("square", "eur"): "base", ("square", "chf"): SQUARE_CHF,
    ("shopify", "eur"): "base", ("shopify", "chf"): SHOPIFY_CHF, ("shopify", "jpy"): SHOPIFY_JPY,
    ("hubspot", "eur"): "price", ("hubspot", "chf"): "hs_price_chf", ("hubspot", "jpy"): "hs_price_jpy",
}
"""Each system's own name of our price lists."""
CURRENCIES = {"eur": "EUR", "chf": "CHF", "jpy": "JPY"}


def prices_of(system: str, amounts: dict[tuple[str, str], Ints]) -> Iterator[Price]:
    """Records of all mapped prices of a system, list by list."""
    for (owner, name), values in amounts.items():
        if owner == system:
            vendor_list = VENDOR_LISTS[owner, name]
            for number in np.flatnonzero(values).tolist():
                yield Price(ids.item_key(system, number), vendor_list, CURRENCIES[name], int(values[number]))


def unmapped_prices(catalogue: Catalogue, settings: WorldSettings, system: str) -> Iterator[Price]:
    """Prices that the estate leaves unmapped: one EUR shop's override in Square, a USD list in Shopify."""
    chosen = Dice(settings.seed, "unmapped prices").chance(0.05, len(catalogue)) & catalogue.is_plain
    for number in np.flatnonzero(chosen).tolist():
        eur = int(catalogue.eur[number])
        if system == "square":
            yield Price(ids.square_variation(number), override_list(settings), "EUR", eur * 95 // 100)
        elif system == "shopify":
            yield Price(ids.shopify_variant(number), SHOPIFY_USD, "USD", eur * 112 // 100)
