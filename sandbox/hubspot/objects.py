"""Contacts and products in the store: change, create, archive, merge, erase; each effect logged.

Every change keeps the record as it was (kind `<kind>_before`), because the search index shows that for a while.
A merge makes a new id that the old ones lead to; an erased address is kept as a hash and is never let in again.
"""

from collections.abc import Mapping
from hashlib import sha256

from sandbox.hubspot.documents import (
    NUMBERS,
    READ_ONLY,
    VENDOR,
    WRITABLE,
    Properties,
    document,
    is_optout,
    known_properties,
    number_text,
)
from sandbox.store import Doc, Store

IN_THE_BIN = "deleted = 1 AND coalesce(parent, '') = ''"
"""The recycling bin holds what was archived: neither a merged contact, which became another, nor an erased one."""
_ERASED = "erased"
_MAX_TEXT = 65_536
_FIRST_MINTED = 900_000_000_000


class Refusal(Exception):
    """One row that HubSpot does not take."""

    def __init__(self, category: str, message: str, *, code: str = "", ids: list[str] | None = None) -> None:
        super().__init__(message)
        self.category, self.message, self.code, self.ids = category, message, code, ids or []


def lookup_of(kind: str, properties: Mapping[str, str | None]) -> str:
    """What a record is found by besides its id: the address in lower case, or the SKU."""
    return (properties.get("email" if kind == "contacts" else "hs_sku") or "").strip().lower()


def find(store: Store, kind: str, key: str) -> Doc | None:
    """A living record by id; the id of a merged contact leads to what it became."""
    seen = set()
    while (doc := store.get(VENDOR, kind, key)) is not None and doc.deleted and key not in seen:
        seen.add(key)
        if not doc.parent:
            return None
        key = doc.parent
    return None if doc is None or doc.deleted else doc


def _keep_before(store: Store, kind: str, doc: Doc, visible_until: str) -> None:
    """Keep the record as the search index knows it; a version newer than `visible_until` it does not know yet."""
    if doc.updated_at <= visible_until:
        store.put(VENDOR, f"{kind}_before", doc.key, doc.text, updated_at=doc.updated_at, lookup=doc.lookup)


def change(
    store: Store, kind: str, doc: Doc, wanted: Properties, *, at: str, origin: str, operation: str,
    visible_until: str = "", replace: bool = False,
) -> Doc:
    """Set some properties (or, with `replace`, all but the system's own); nothing happens where nothing differs.

    `visible_until`: the stamp up to which the search index is up to date ('' where it never lags).
    """
    body = doc.body
    held: Properties = body["properties"]
    system = READ_ONLY[kind] - {"hs_email_optout"}
    names = (held.keys() - system) | wanted.keys() if replace else wanted.keys()
    moved = {name: wanted.get(name) for name in sorted(names) if (held.get(name) or None) != (wanted.get(name) or None)}
    if not moved:
        return doc
    _keep_before(store, kind, doc, visible_until)
    properties = {**held, **moved}
    text = document(
        kind, doc.key, properties, known_properties(store, kind), created_at=body["createdAt"], updated_at=at
    )
    store.put(VENDOR, kind, doc.key, text, updated_at=at, lookup=lookup_of(kind, properties))
    for name, value in moved.items():
        store.effect(VENDOR, kind, doc.key, name, held.get(name), value, origin=origin, operation=operation)
    found = store.get(VENDOR, kind, doc.key)
    assert found is not None
    return found


def checked(store: Store, kind: str, properties: Mapping[str, object], *, key: str = "") -> Properties:
    """Properties as HubSpot would keep them; Refusal for what it would not."""
    clean: Properties = {}
    for name, value in properties.items():
        if name in READ_ONLY[kind] or is_optout(name):
            raise Refusal("VALIDATION_ERROR", f'"{name}" is a read only property', code="READ_ONLY_VALUE")
        if name not in WRITABLE[kind]:
            raise Refusal("VALIDATION_ERROR", f'Property "{name}" does not exist', code="PROPERTY_DOESNT_EXIST")
        text = "" if value is None else str(value)
        if len(text) > _MAX_TEXT or "\x00" in text:
            raise Refusal("VALIDATION_ERROR", f'"{name}" is not valid text', code="INVALID_LENGTH")
        if name in NUMBERS and text:
            number = number_text(text)
            if number is None:
                raise Refusal("VALIDATION_ERROR", f"{text} was not a valid number", code="INVALID_LONG")
            text = number
        clean[name] = text or None
    if kind == "contacts" and clean.get("email"):
        clean["email"] = _checked_email(store, str(clean["email"]), key)
    return clean


def _checked_email(store: Store, email: str, key: str) -> str:
    email = email.strip().lower()
    local, _, domain = email.partition("@")
    if not local or "." not in domain or " " in email:
        raise Refusal("VALIDATION_ERROR", f"Email address {email} is invalid", code="INVALID_EMAIL")
    if store.get(VENDOR, "erased", _tombstone(email)) is not None:
        raise Refusal("VALIDATION_ERROR", "This address was erased and is blocked", code="BLOCKED_BY_GDPR_DELETE")
    for doc in store.select(VENDOR, "contacts", where="lookup = ? AND deleted = 0", args=[email]):
        if doc.key != key:
            raise Refusal("CONFLICT", f"Contact already exists. Existing ID: {doc.key}", ids=[doc.key])
    return email


def create(store: Store, kind: str, properties: Mapping[str, object], *, at: str, operation: str) -> Doc:
    """A new record with the next id."""
    clean = checked(store, kind, properties)
    key = _next_id(store, kind)
    names = known_properties(store, kind)
    text = document(kind, key, clean, names, created_at=at, updated_at=at)
    store.put(VENDOR, kind, key, text, updated_at=at, lookup=lookup_of(kind, clean))
    store.effect(VENDOR, kind, key, "created", None, key, origin="api", operation=operation)
    found = store.get(VENDOR, kind, key)
    assert found is not None
    return found


def archive(store: Store, kind: str, doc: Doc, *, at: str, origin: str, operation: str, became: str = "") -> None:
    """Put a record away: it leaves lists and search, and, unless it became another, shows under archived=true."""
    body = doc.body
    text = document(
        kind, doc.key, body["properties"], (), created_at=body["createdAt"], updated_at=at, archived_at=at
    )
    store.put(VENDOR, kind, doc.key, text, updated_at=at, parent=became, lookup="", deleted=True)
    store.effect(VENDOR, kind, doc.key, "archived", "false", "true", origin=origin, operation=operation)


def merge(store: Store, primary: Doc, other: Doc, *, at: str, operation: str) -> Doc:
    """Join two contacts: a new id, the primary's values, the other's where the primary has none, and every no."""
    one: Properties = primary.body["properties"]
    two: Properties = other.body["properties"]
    joined = {name: one.get(name) or value for name, value in two.items()} | {k: v for k, v in one.items() if v}
    joined |= {name: "true" for name in joined if is_optout(name) and "true" in (one.get(name), two.get(name))}
    joined["hs_merged_object_ids"] = f"{primary.key};{other.key}"
    key = _next_id(store, "contacts")
    for doc in (primary, other):
        archive(store, "contacts", doc, at=at, origin="api", operation=operation, became=key)
    text = document(
        "contacts", key, joined, known_properties(store, "contacts"),
        created_at=primary.body["createdAt"], updated_at=at,
    )
    store.put(VENDOR, "contacts", key, text, updated_at=at, lookup=lookup_of("contacts", joined))
    store.effect(
        VENDOR, "contacts", key, "merged", None, joined["hs_merged_object_ids"], origin="api", operation=operation
    )
    found = store.get(VENDOR, "contacts", key)
    assert found is not None
    return found


def erase(store: Store, doc: Doc, *, at: str, operation: str) -> None:
    """Delete for good; the address stays blocked, as a hash."""
    email = lookup_of("contacts", doc.body["properties"])
    if email:
        store.put(VENDOR, "erased", _tombstone(email), {}, updated_at=at)
    blank = document("contacts", doc.key, {}, (), created_at=at, updated_at=at, archived_at=at)
    store.put(VENDOR, "contacts", doc.key, blank, updated_at=at, parent=_ERASED, deleted=True)
    store.put(VENDOR, "contacts_before", doc.key, blank, updated_at=at, deleted=True)
    store.effect(VENDOR, "contacts", doc.key, "erased", "false", "true", origin="api", operation=operation)


def _tombstone(email: str) -> str:
    return sha256(email.encode()).hexdigest()


def _next_id(store: Store, kind: str) -> str:
    """HubSpot's ids are large and sparse; those minted here stay clear of the world's."""
    count = int(store.fact(f"hubspot_minted_{kind}") or 0) + 1
    store.set_fact(f"hubspot_minted_{kind}", str(count))
    return str(_FIRST_MINTED + count)
