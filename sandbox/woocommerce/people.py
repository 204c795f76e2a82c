"""What becomes of customers' accounts: made, changed, removed.

An address is changed in parts; what a plugin keeps, key by key. Texts are cleaned as WordPress cleans a line of text:
tags and what looks percent-encoded go, white space is joined; and a backslash is lost on the way to where users' values
are kept, since that place unslashes what nobody slashed. What plugins keep is stored as it came.
"""

import html
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.records import Customer
from sandbox.store import Doc, Store
from sandbox.woocommerce.documents import CONSENT_META, VENDOR, Document, customer_document, dated, meta
from sandbox.woocommerce.lists import Refusal

_PLAIN = ("first_name", "last_name", "email", "username")
_ADDRESS = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
_LONGEST = 250


def find(store: Store, key: Any, *, in_batch: bool = False) -> Doc:
    """An account; Refusal where there is none. An update in a batch is refused in other words than a single one."""
    doc = store.get(VENDOR, "customers", str(key))
    if doc is None or doc.deleted:
        if in_batch:
            raise Refusal(400, "woocommerce_rest_invalid_id", "Invalid resource ID.")
        raise Refusal(404, "wc_user_invalid_id", "Invalid user ID.")
    return doc


def _clean(text: Any) -> str:
    """Text as the shop stores it."""
    line = re.sub(r"<[^>]*?(?:(?=<)|>|$)", _untagged, str(text))
    line = re.sub(r"[\r\n\t ]+", " ", line)
    while re.search(r"%[a-f0-9]{2}", line, re.I):
        line = re.sub(r" +", " ", re.sub(r"%[a-f0-9]{2}", "", line, flags=re.I))
    return re.sub(r"\\(.?)", r"\1", line.strip(" \t\n\r\0\x0b"))


def _untagged(tag: re.Match[str]) -> str:
    """Nothing for a tag; what only begins like one is escaped."""
    return "" if tag[0].endswith(">") else html.escape(tag[0])


def create(store: Store, given: Mapping[str, Any], *, operation: str) -> Document:
    """Make an account by the API, of the role of customers; returns it. A password is taken and shown to nobody."""
    if given.get("id"):
        raise Refusal(400, "woocommerce_rest_customer_exists", "Cannot create existing resource.")
    email = str(given.get("email") or "")
    if not email:
        raise Refusal(400, "registration-error-invalid-email", "Please provide a valid email address.")
    if not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email):
        raise Refusal(400, "customer_invalid_email", "Invalid email address.")
    if list(store.select(VENDOR, "customers", where="deleted = 0 AND lookup = ?", args=[email.lower()], limit=1)):
        words = f"An account is already registered with {email}. Please log in or use a different email address."
        raise Refusal(400, "registration-error-email-exists", words)
    newest = list(store.select(VENDOR, "customers", order="CAST(key AS INTEGER) DESC", limit=1))
    key, at = str(int(newest[0].key) + 1 if newest else 1), store.now().replace(microsecond=0)
    username = str(given.get("username") or email.partition("@")[0])
    taken = "deleted = 0 AND json_extract(doc, '$.username') = ?"
    if list(store.select(VENDOR, "customers", where=taken, args=[username], limit=1)):
        words = "An account is already registered with that username. Please choose another."
        raise Refusal(400, "registration-error-username-exists", words)
    made = customer_document(Customer(key, email=email, country="", created_at=at), at)
    document = save(store, None, _changed(made, {**given, "username": username}), at, origin="api", operation=operation)
    store.effect(VENDOR, "customers", key, "created", None, key, origin="api", operation=operation)
    return document


def change(store: Store, doc: Doc, given: Mapping[str, Any], *, operation: str) -> Document:
    """Change an account by the API; returns what it is now."""
    return save(store, doc, _changed(doc.body, given), store.now(), origin="api", operation=operation)


def _changed(after: Document, given: Mapping[str, Any]) -> Document:
    """The account with what was given."""
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
    return after


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
