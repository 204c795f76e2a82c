"""Catalogue objects in the store: versions, storing, deleting, prices inside a variation, and their effects.

Shared by the world's hand and the API, so that both leave the same traces. Effects are named as the values are
compared: prices `<variation>|<list>`, items by variation.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sandbox.records import Price
from sandbox.square.wire import NAME, encode
from sandbox.store import Store, stamp

Object = dict[str, Any]
_FIELDS = {"upc": "gtin", "sku": "sku", "name": "option_title", "track_inventory": "is_tracked"}


def next_version(at: datetime, old: Object | None = None) -> int:
    """Milliseconds of the change; always higher than before."""
    version = int(at.timestamp() * 1000)
    return max(version, int(old["version"]) + 1) if old else version


def put_objects(store: Store, objects: Iterable[Object], at: datetime) -> None:
    """Store living objects; the type is the lookup, a variation's parent its item."""
    store.put_many(
        NAME, "catalog",
        (
            (o["id"], o.get("item_variation_data", {}).get("item_id") or "", o["type"], stamp(at), encode(o))
            for o in objects
        ),
    )


def delete_objects(store: Store, keys: Iterable[str], at: datetime) -> None:
    """Mark variations deleted, and their item with the last of them."""
    parents = set()
    for doc in store.get_many(NAME, "catalog", keys).values():
        parents.add(doc.parent)
        _bury(store, doc.key, at)
    for parent in sorted(parents - {""}):
        if store.count(NAME, "catalog", "parent = ? AND deleted = 0", [parent]) == 0:
            _bury(store, parent, at)


def _bury(store: Store, key: str, at: datetime) -> None:
    doc = store.get(NAME, "catalog", key)
    if doc is None or doc.deleted:
        return
    body = doc.body
    body |= {"is_deleted": True, "updated_at": stamp(at), "version": next_version(at, body)}
    store.put(
        NAME, "catalog", key, encode(body), updated_at=at, parent=doc.parent, lookup=doc.lookup, deleted=True
    )


def prices(block: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(list, money) of a variation's data block: 'base' and 'location:<id>'."""
    if block.get("price_money"):
        yield "base", block["price_money"]
    for override in block.get("location_overrides") or []:
        if override.get("price_money"):
            yield f"location:{override['location_id']}", override["price_money"]


def set_price(block: dict[str, Any], price: Price) -> None:
    """Set a price inside a variation's data block."""
    money = {"amount": price.amount, "currency": price.currency}
    if price.list == "base":
        block["price_money"] = money
        return
    location = price.list.removeprefix("location:")
    overrides = block.setdefault("location_overrides", [])
    for override in overrides:
        if override["location_id"] == location:
            override |= {"price_money": money, "pricing_type": "FIXED_PRICING"}
            return
    overrides.append({"location_id": location, "price_money": money, "pricing_type": "FIXED_PRICING"})


def note(
    store: Store, before: Object, after: Object, *, origin: str, operation: str = "", key: str = ""
) -> None:
    """Log each value that differs between two states of an object; what has no name of its own as 'object'."""
    old, new = (o.get("item_variation_data") or {} for o in (before, after))
    told = {"price_money", "location_overrides", *_FIELDS}

    def log(kind: str, where: str, field: str, was: Any, now: Any) -> None:
        store.effect(
            NAME, kind, where, field, was, now, origin=origin, operation=operation, idempotency_key=key
        )

    was, now = dict(prices(old)), dict(prices(new))
    for price_list in sorted(was.keys() | now.keys()):
        amounts = [side.get(price_list, {}).get("amount") for side in (was, now)]
        if amounts[0] != amounts[1]:
            log("prices", f"{after['id']}|{price_list}", "amount", *amounts)
    for name, field in _FIELDS.items():
        if old.get(name) != new.get(name):
            log("items", after["id"], field, old.get(name), new.get(name))
    if not _same_rest(before, after, told):
        log("catalog", after["id"], "object", before.get("version"), after.get("version"))


def _same_rest(before: Object, after: Object, told: set[str]) -> bool:
    def rest(o: Object) -> dict[str, Any]:
        frame = {k: v for k, v in o.items() if k not in ("version", "updated_at", "item_variation_data")}
        block = {k: v for k, v in (o.get("item_variation_data") or {}).items() if k not in told}
        overrides = [
            {k: v for k, v in override.items() if k not in ("price_money", "pricing_type")}
            for override in (o.get("item_variation_data") or {}).get("location_overrides") or []
        ]
        return {**frame, "block": block, "overrides": [o for o in overrides if len(o) > 1]}

    return rest(before) == rest(after)
