"""What may be changed of customers' accounts. An address is changed in parts; what a plugin keeps, key by key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.store import Doc, Store
from sandbox.woocommerce.documents import CONSENT_META, VENDOR, Document, dated, meta
from sandbox.woocommerce.lists import Refusal

_PLAIN = ("first_name", "last_name", "email", "username")
_ADDRESS = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
_LONGEST = 250


def find(store: Store, key: Any, *, status: int = 404) -> Doc:
    """An account; Refusal where there is none."""
    doc = store.get(VENDOR, "customers", str(key))
    if doc is None or doc.deleted:
        raise Refusal(status, "woocommerce_rest_invalid_id", "Invalid resource ID.")
    return doc


def _clean(text: Any) -> str:
    """Text as the shop stores it: no outer and no doubled white space."""
    return " ".join(str(text).split())


def change(store: Store, doc: Doc, given: Mapping[str, Any], *, operation: str) -> Document:
    """Change an account by the API; returns what it is now."""
    after = doc.body
    for name in _PLAIN:
        if name in given:
            value = _clean(given[name])
            if len(value) > _LONGEST:
                raise Refusal(400, "customer_invalid_" + name, f"Invalid {name}.")
            after[name] = value
    for place, names in (("billing", (*_ADDRESS, "email", "phone")), ("shipping", _ADDRESS)):
        parts = given.get(place) or {}
        after[place] = after[place] | {name: _clean(parts[name]) for name in names if name in parts}
    for one in given.get("meta_data") or ():
        kept = [held for held in after["meta_data"] if held["key"] != one["key"]]
        number = next((held["id"] for held in after["meta_data"] if held["key"] == one["key"]), None)
        used = {held["id"] for held in after["meta_data"]}
        number = number or next(n for n in range(10 * after["id"], 10 * after["id"] + 1000) if n not in used)
        after["meta_data"] = [*kept, {"id": number, "key": one["key"], "value": one["value"]}]
    return save(store, doc, after, store.now(), origin="api", operation=operation)


def save(
    store: Store, doc: Doc | None, after: Document, at: datetime, *, origin: str = "world", operation: str = "screen",
    log: bool = True,
) -> Document:
    """Store an account and log what changed of it."""
    at = at.replace(microsecond=0)
    before = doc.body if doc is not None and not doc.deleted else None
    after |= dated("modified", at)
    key = str(after["id"])
    store.put(VENDOR, "customers", key, after, updated_at=at, lookup=after["email"].strip().lower())
    if before is not None and log:
        for name, (was, now) in _values(before, after).items():
            if was != now:
                store.effect(VENDOR, "customers", key, name, was, now, origin=origin, operation=operation)
        was, now = meta(before, CONSENT_META), meta(after, CONSENT_META)
        if was != now:
            store.effect(VENDOR, "consents", key, CONSENT_META, was, now, origin=origin, operation=operation)
    return after


def _values(before: Document, after: Document) -> dict[str, tuple[Any, Any]]:
    found = {name: (before[name], after[name]) for name in _PLAIN}
    parts = ("address_1", "city", "postcode", "country", "phone")
    return found | {f"billing.{name}": (before["billing"][name], after["billing"][name]) for name in parts}


def remove(store: Store, doc: Doc, at: datetime, *, origin: str, operation: str) -> None:
    """Delete an account for good; there is no trash for people."""
    store.put(VENDOR, "customers", doc.key, "{}", updated_at=at.replace(microsecond=0), deleted=True)
    store.effect(VENDOR, "customers", doc.key, "deleted", None, doc.key, origin=origin, operation=operation)
