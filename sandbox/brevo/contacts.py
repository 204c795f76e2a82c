"""What may become of a contact: created, changed, deleted; each effect logged.

The rules that matter: a value that does not fit its attribute, and an attribute that is not there, are passed over
without a word; a number is one contact's only, as an address is; whatever the API touches is modified now, changed or
not; the API takes a person off the blacklist as readily as it puts him on it. A deleted contact leaves nothing behind,
so who comes back is new: not blacklisted.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sandbox.brevo.documents import VENDOR, Contact, new_contact, state_in, text_of
from sandbox.store import Doc, Store, stamp

_NUMBER = re.compile(r"(?:\+|00)?([1-9][0-9]{7,14})")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+\.[^@\s]+")


class Refusal(Exception):
    """A request that Brevo does not take."""

    def __init__(self, code: str, message: str, *, status: int = 400, duplicates: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.duplicates = code, message, status, list(duplicates)


def by_id(store: Store, key: int) -> Doc | None:
    """A contact that is there."""
    doc = store.get(VENDOR, "contacts", str(key))
    return doc if doc is not None and not doc.deleted else None


def by_email(store: Store, email: str) -> Doc | None:
    """The contact of an address."""
    return next(iter(store.page(VENDOR, "contacts", where="lookup = ?", args=[email.strip().lower()], limit=1)), None)


def _by_number(store: Store, number: str) -> Doc | None:
    where = "json_extract(doc, '$.attributes.SMS') = ?"
    return next(iter(store.page(VENDOR, "contacts", where=where, args=[number], limit=1)), None)


def find(store: Store, identifier: str, kind: str | None) -> Doc | None:
    """A contact by what a path names; without a kind an id, a number or an address, whichever it looks like."""
    if kind == "email_id" or (kind is None and "@" in identifier):
        return by_email(store, identifier)
    if kind == "phone_id":
        return _by_number(store, _digits(identifier))
    if kind in (None, "contact_id"):
        if not identifier.isdecimal():
            raise Refusal("invalid_parameter", "Invalid contact identifier")
        found = by_id(store, int(identifier))
        return found if found is not None or kind else _by_number(store, identifier)
    raise Refusal("invalid_parameter", f"{kind} is not played")


def keep(store: Store, contact: Contact, at: datetime | str) -> Doc:
    """Store a contact as it is now."""
    key = str(contact["id"])
    lookup = contact.get("email", "").strip().lower()
    store.put(VENDOR, "contacts", key, text_of(contact), updated_at=at, lookup=lookup)
    doc = store.get(VENDOR, "contacts", key)
    assert doc is not None
    return doc


def create(store: Store, row: Mapping[str, Any], at: datetime, *, per_list: bool, operation: str) -> Doc:
    """Make a contact of an address."""
    email = str(row.get("email") or "").strip()
    if not _EMAIL.fullmatch(email):
        raise Refusal("invalid_parameter", "Invalid email address")
    if by_email(store, email) is not None:
        raise Refusal(
            "duplicate_parameter", "Unable to create contact, email is already associated with another Contact",
            duplicates=["email"],
        )
    newest = next(store.select(VENDOR, "contacts", order="CAST(key AS INTEGER) DESC", limit=1), None)
    before = new_contact(int(newest.key) + 1 if newest else 1, email, at, per_list=per_list)
    after = changed(store, before, row, at)
    doc = keep(store, after, at)
    store.effect(VENDOR, "contacts", doc.key, "created", None, "", origin="api", operation=operation)
    log_changes(store, before, after, origin="api", operation=operation)
    return doc


def update(store: Store, doc: Doc, row: Mapping[str, Any], at: datetime, *, operation: str) -> None:
    """Change a contact as a request says."""
    before = doc.body
    after = changed(store, before, row, at)
    keep(store, after, at)
    log_changes(store, before, after, origin="api", operation=operation)


def changed(store: Store, before: Contact, row: Mapping[str, Any], at: datetime) -> Contact:
    """A contact after a request; Refusal where Brevo takes none of it."""
    after = {**before, "attributes": dict(before["attributes"]), "modifiedAt": stamp(at)}
    for name in ("emailBlacklisted", "smsBlacklisted"):
        if isinstance(row.get(name), bool):
            after[name] = row[name]
    known = {doc.key: doc.body for doc in store.select(VENDOR, "attributes")}
    for name, value in dict(row.get("attributes") or {}).items():
        if name == "EMAIL":
            after["email"] = _free_email(store, before, str(value))
        elif name == "SMS":
            _set(after, name, _free_number(store, before, str(value)) if value else "")
        elif name in known and _fits(known[name], value):
            _set(after, name, value)
    lists = {int(doc.key) for doc in store.select(VENDOR, "lists", where="deleted = 0")}
    joined, left = (set(map(int, row.get(name) or ())) for name in ("listIds", "unlinkListIds"))
    if strange := (joined | left) - lists:
        raise Refusal("invalid_parameter", f"{len(strange)} of the lists do not exist")
    after["listIds"] = sorted((set(before["listIds"]) | joined) - left)
    if "listUnsubscribed" in before:
        after["listUnsubscribed"] = sorted(set(before["listUnsubscribed"]) - joined)
    return after


def _set(contact: Contact, name: str, value: Any) -> None:
    if value == "":
        contact["attributes"].pop(name, None)
    else:
        contact["attributes"][name] = value


def _fits(attribute: Mapping[str, Any], value: Any) -> bool:
    kind = attribute.get("type", "category")
    if kind == "date" and isinstance(value, str):
        try:
            return value == "" or bool(date.fromisoformat(value))
        except ValueError:
            return False
    of_kind = {"text": str, "float": int | float, "boolean": bool, "category": int}.get(kind, type(None))
    return isinstance(value, of_kind) and (kind == "boolean" or not isinstance(value, bool))


def _free_email(store: Store, contact: Contact, email: str) -> str:
    if not _EMAIL.fullmatch(email.strip()):
        raise Refusal("invalid_parameter", "Invalid email address")
    other = by_email(store, email)
    if other is not None and int(other.key) != contact["id"]:
        raise Refusal(
            "duplicate_parameter", "Unable to update contact, email is already associated with another Contact",
            duplicates=["email"],
        )
    return email.strip()


def _digits(number: str) -> str:
    found = _NUMBER.fullmatch(number.strip())
    if found is None:
        raise Refusal("invalid_parameter", "Invalid phone number")
    return found[1]


def _free_number(store: Store, contact: Contact, number: str) -> str:
    digits = _digits(number)
    other = _by_number(store, digits)
    if other is not None and int(other.key) != contact["id"]:
        raise Refusal(
            "duplicate_parameter", "Unable to update contact, SMS is already associated with another Contact",
            duplicates=["SMS"],
        )
    return digits


def delete(store: Store, doc: Doc, at: datetime, *, origin: str, operation: str) -> None:
    """Delete a contact: no tombstone, no blocked address."""
    store.put(VENDOR, "contacts", doc.key, "{}", updated_at=at, deleted=True)
    store.effect(VENDOR, "contacts", doc.key, "deleted", "false", "true", origin=origin, operation=operation)


def log_changes(store: Store, before: Contact, after: Contact, *, origin: str, operation: str) -> None:
    """One effect a value that moved, the permissions beside them, one a list."""
    key = str(after["id"])
    for name in ("email", "emailBlacklisted", "smsBlacklisted"):
        if before.get(name) != after.get(name):
            store.effect(
                VENDOR, "contacts", key, name, before.get(name), after.get(name), origin=origin, operation=operation
            )
    for name in sorted(before["attributes"].keys() | after["attributes"].keys()):
        was, now = before["attributes"].get(name), after["attributes"].get(name)
        if was != now:
            store.effect(VENDOR, "contacts", key, name, was, now, origin=origin, operation=operation)
    for doc in store.select(VENDOR, "lists", where="deleted = 0"):
        was, now = state_in(before, int(doc.key)), state_in(after, int(doc.key))
        if was != now:
            store.effect(VENDOR, "consents", key, doc.key, was, now, origin=origin, operation=operation)
