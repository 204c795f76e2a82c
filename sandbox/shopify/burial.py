"""How a record is deleted: it leaves every list, and what hangs on it goes with it."""

from datetime import datetime

from sandbox.shopify.graph import VENDOR
from sandbox.store import Doc, Store


def bury(store: Store, table: str, doc: Doc, at: datetime) -> None:
    """Mark one record as deleted."""
    store.put(
        VENDOR, table, doc.key, doc.text, updated_at=at.replace(microsecond=0), parent=doc.parent, lookup=doc.lookup,
        deleted=True,
    )


def bury_variant(store: Store, doc: Doc, at: datetime) -> None:
    """A variant with its levels and fixed prices, and its product with the last of them."""
    bury(store, "variants", doc, at)
    for hanging, lookup in (("levels", doc.lookup), ("prices", doc.key)):
        for one in list(store.select(VENDOR, hanging, where="lookup = ?", args=[lookup])):
            bury(store, hanging, one, at)
    product = store.get(VENDOR, "products", doc.parent)
    if product and not store.count(VENDOR, "variants", "deleted = 0 AND parent = ?", [doc.parent]):
        bury(store, "products", product, at)
