"""What may be changed of products and variations, by the API and by hand, and what the shop makes of it.

Amounts are stored as they are cleaned, not as they were meant. A quantity is dropped where the stock is not managed.
A barcode or SKU belongs to one thing alone. A variation that changes moves the date of the product above it; a quantity
that an import sets in the database moves no date at all.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.store import Doc, Store
from sandbox.woocommerce.documents import VENDOR, Document, dated, decimal_text, moment_of
from sandbox.woocommerce.lists import Refusal

_KIND_OF = {
    "regular_price": "prices", "sale_price": "prices", "date_on_sale_from_gmt": "prices",
    "date_on_sale_to_gmt": "prices", "stock_quantity": "stock", "manage_stock": "stock",
    "global_unique_id": "items", "sku": "items", "name": "items",
    "status": "items", "tax_class": "items",
}
"""Which effects are told of, and under which kind."""
_PLAIN = (
    "name", "status", "sku", "tax_class", "tax_status", "description", "short_description", "backorders",
    "catalog_visibility", "menu_order", "weight",
)


def find(store: Store, kind: str, key: Any, *, parent: str | None = None) -> Doc:
    """A living or trashed record; Refusal where there is none, or none under this product."""
    doc = store.get(VENDOR, kind, str(key))
    code = "product" if kind == "products" else "product_variation"
    if kind == "products" and doc is None and store.get(VENDOR, "variations", str(key)) is not None:
        words = "To manipulate product variations you should use the /products/<product_id>/variations/<id> endpoint."
        raise Refusal(404, "woocommerce_rest_invalid_product_id", words)
    if doc is None or doc.text == "{}":
        raise Refusal(404, f"woocommerce_rest_{code}_invalid_id", "Invalid ID.")
    if parent is not None and doc.parent != parent:
        words = "Parent product does not match current variation."
        raise Refusal(400, f"woocommerce_rest_{code}_invalid_parent", words)
    return doc


def change(store: Store, kind: str, doc: Doc, given: Mapping[str, Any], *, operation: str) -> Document:
    """Change a record by the API; returns what it is now. Refusal for what the shop does not take."""
    before = doc.body
    after = before | {name: given[name] for name in _PLAIN if name in given}
    if kind == "products" and "sku" in given:
        _alone(store, doc.key, "sku", str(given["sku"]), "product_invalid_sku", "Invalid or duplicated SKU.")
    if "global_unique_id" in given:
        gtin = "".join(sign for sign in str(given["global_unique_id"]) if sign.isdigit() or sign == "-")
        words = "Invalid or duplicated GTIN, UPC, EAN or ISBN."
        _alone(store, doc.key, "global_unique_id", gtin, "product_invalid_global_unique_id", words)
        after["global_unique_id"] = gtin
    for name in ("regular_price", "sale_price"):
        if name in given:
            after[name] = decimal_text(given[name])
    for name in ("on_sale_from", "on_sale_to"):
        for given_name in (f"date_{name}", f"date_{name}_gmt"):
            if given_name in given and not given[given_name]:
                after |= dated(name, None)
    if "manage_stock" in given:
        after["manage_stock"] = given["manage_stock"]
    if after["manage_stock"] in (False, "parent"):
        after["stock_quantity"] = before["stock_quantity"] if after["manage_stock"] == "parent" else None
    elif "stock_quantity" in given:
        after["stock_quantity"] = int(given["stock_quantity"])
    return save(store, kind, doc, after, store.now(), origin="api", operation=operation)


def _alone(store: Store, key: str, name: str, value: str, code: str, words: str) -> None:
    for kind in ("products", "variations") if value else ():
        where, args = f"deleted = 0 AND key <> ? AND json_extract(doc, '$.{name}') = ?", [key, value]
        if store.count(VENDOR, kind, where, args):
            raise Refusal(400, code, words)


def priced(document: Document, now: datetime) -> Document:
    """With the price that a buyer pays now: the sale price within its days, where it is below the regular one."""
    sale, regular = document["sale_price"], document["regular_price"]
    starts, ends = moment_of(document, "on_sale_from"), moment_of(document, "on_sale_to")
    is_on = (
        _number(sale) is not None and _number(regular) is not None and (_number(sale) or 0) < (_number(regular) or 0)
        and (starts is None or starts <= now) and (ends is None or ends >= now)
    )
    price = sale if is_on else regular
    is_sold = document["status"] == "publish" and document.get("type") not in ("grouped", "variable")
    return document | {"on_sale": is_on, "price": price, "purchasable": is_sold and price != ""}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def save(
    store: Store, kind: str, doc: Doc | None, after: Document, at: datetime, *, origin: str = "world",
    operation: str = "screen", parent: str = "", is_quiet: bool = False,
) -> Document:
    """Store a record with what follows from its values, and the date of the product above it; log what changed.

    `is_quiet`: written past the shop into its database, so that no date moves.
    """
    at = at.replace(microsecond=0)
    before = doc.body if doc is not None and doc.text != "{}" else None
    parent = doc.parent if doc is not None else parent
    quantity = after["stock_quantity"]
    if quantity is not None:
        after["stock_status"] = "instock" if quantity > 0 else "outofstock"
    after = priced(after, at)
    if not is_quiet or before is None:
        after |= dated("modified", at)
    stamped: datetime | str = at if not is_quiet or doc is None else doc.updated_at
    key = str(after["id"])
    store.put(VENDOR, kind, key, after, updated_at=stamped, parent=parent, lookup=after["sku"].strip().lower())
    if before is not None:
        for name, told in _KIND_OF.items():
            if before.get(name) != after.get(name):
                store.effect(
                    VENDOR, told, key, name, before.get(name), after.get(name), origin=origin, operation=operation
                )
    if kind == "variations" and not is_quiet:
        touch(store, parent, at)
    return after


def touch(store: Store, key: str, at: datetime) -> None:
    """A product whose variations changed is saved too."""
    doc = store.get(VENDOR, "products", key)
    if doc is not None and not doc.deleted:
        store.put(
            VENDOR, "products", key, doc.body | dated("modified", at), updated_at=at.replace(microsecond=0),
            parent=doc.parent, lookup=doc.lookup,
        )


def list_variation(store: Store, parent: str, key: str, at: datetime, *, is_there: bool) -> None:
    """Add a variation to its product's list, or take it out."""
    doc = store.get(VENDOR, "products", parent)
    if doc is None:
        return
    body = doc.body
    listed = [one for one in body["variations"] if one != int(key)] + ([int(key)] if is_there else [])
    if listed != body["variations"]:
        body |= {"variations": sorted(listed)} | dated("modified", at)
        store.put(
            VENDOR, "products", parent, body, updated_at=at.replace(microsecond=0), lookup=doc.lookup,
            deleted=doc.deleted,
        )


def remove(
    store: Store, kind: str, doc: Doc, at: datetime, *, origin: str, is_forced: bool, operation: str
) -> Document:
    """Trash a product, or delete for good; its variations go with it. A variation is always deleted for good."""
    at, after = at.replace(microsecond=0), doc.body
    if kind == "products":
        for child in list(store.select(VENDOR, "variations", where="deleted = 0 AND parent = ?", args=[doc.key])):
            store.put(VENDOR, "variations", child.key, "{}", updated_at=at, parent=doc.key, deleted=True)
        if not is_forced:
            after |= {"status": "trash"}
    kept = after if kind == "products" and not is_forced else "{}"
    store.put(VENDOR, kind, doc.key, kept, updated_at=at, parent=doc.parent, lookup=doc.lookup, deleted=True)
    store.effect(VENDOR, "items", doc.key, "deleted", None, doc.key, origin=origin, operation=operation)
    if kind == "variations":
        list_variation(store, doc.parent, doc.key, at, is_there=False)
    return after
