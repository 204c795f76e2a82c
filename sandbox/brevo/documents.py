"""Contacts, lists and attributes as Brevo shows them, and the world's records turned into contacts and back.

A contact's `id` is a number that never changes, whatever becomes of its address. What is not known is left out of its
`attributes`. There is no time of consent anywhere: being in a list is all that a yes is, being blacklisted (or, where
the account has unsubscription per list, standing in `listUnsubscribed`) all that a no is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from sandbox.records import Consent, ConsentState, Customer
from sandbox.store import Doc, stamp

VENDOR = "brevo"
Contact = dict[str, Any]

ATTRIBUTES: dict[str, dict[str, Any]] = {
    name: {"name": name, "category": "normal", "type": kind}
    for name, kind in (
        ("PRENOM", "text"), ("NOM", "text"), ("SMS", "text"), ("TELEPHONE", "text"), ("ADRESSE", "text"),
        ("CODE_POSTAL", "text"), ("VILLE", "text"), ("PAYS", "text"), ("CARTE_FIDELITE", "text"),
        ("DATE_NAISSANCE", "date"), ("POINTS", "float"), ("VIP", "boolean"),
    )
} | {
    "DOUBLE_OPT-IN": {
        "name": "DOUBLE_OPT-IN", "category": "category",
        "enumeration": [{"value": 1, "label": "Yes"}, {"value": 2, "label": "No"}],
    },
}
"""What the account of a French shop holds of a contact: the names that its owner gave."""

_TEXTS = {
    "first_name": "PRENOM", "last_name": "NOM", "phone": "TELEPHONE", "street": "ADRESSE", "city": "VILLE",
    "postcode": "CODE_POSTAL", "country": "PAYS", "card": "CARTE_FIDELITE", "birth_date": "DATE_NAISSANCE",
}


def text_of(contact: Contact) -> str:
    """The JSON that is stored and served."""
    return msgspec.json.encode(contact).decode()


def new_contact(key: int, email: str, at: datetime, *, per_list: bool) -> Contact:
    """A contact with nothing but an address. `listUnsubscribed` is there only where the account has it."""
    contact: Contact = {
        "id": key, "email": email, "emailBlacklisted": False, "smsBlacklisted": False, "createdAt": stamp(at),
        "modifiedAt": stamp(at), "listIds": [], "attributes": {},
    }
    return contact | {"listUnsubscribed": []} if per_list else contact


def state_in(contact: Mapping[str, Any], list_id: int) -> ConsentState:
    """The permission that a contact gives to one list."""
    if contact["emailBlacklisted"] or list_id in contact.get("listUnsubscribed", ()):
        return "no"
    return "yes" if list_id in contact["listIds"] else "none"


def contact_of(
    customer: Customer, list_id: int, at: datetime, held: Mapping[str, Any] | None, *, per_list: bool
) -> Contact:
    """A world's customer as a contact; what Brevo alone knows of it is kept from `held`.

    Who has not confirmed yet is in no list: Brevo knows no pending.
    """
    contact = new_contact(int(customer.key), customer.email, at, per_list=per_list)
    if held is not None:
        kept = ("createdAt", "emailBlacklisted", "smsBlacklisted", "listIds", "listUnsubscribed")
        contact |= {name: held[name] for name in kept if name in held}
    if not customer.email:
        del contact["email"]
    wanted = {name: getattr(customer, field) for field, name in _TEXTS.items()}
    known = dict(held["attributes"]) if held else {}
    contact["attributes"] = {
        name: value for name, value in {**known, **wanted}.items() if value not in (None, "")
    }
    return permitted(contact, customer.consent.state, list_id)


def permitted(contact: Contact, state: ConsentState, list_id: int) -> Contact:
    """The contact after its owner said so: a no blacklists, or unsubscribes from the one list where there is such."""
    lists = [held for held in contact["listIds"] if held != list_id]
    away = [held for held in contact.get("listUnsubscribed", ()) if held != list_id]
    per_list = "listUnsubscribed" in contact
    if state in ("yes", "no"):
        lists.append(list_id)
    changed = contact | {"listIds": sorted(lists), "emailBlacklisted": state == "no" and not per_list}
    if per_list:
        changed["listUnsubscribed"] = sorted([*away, list_id] if state == "no" else away)
    return changed


def customer_of(doc: Doc, list_id: int) -> Customer:
    """A contact as the world's record."""
    contact = doc.body
    attributes = contact["attributes"]
    values = {field: str(attributes.get(name, "")) for field, name in _TEXTS.items()}
    values["country"] = values["country"] or "FR"
    return Customer(
        key=doc.key, email=contact.get("email", ""), consent=Consent(state_in(contact, list_id)), **values
    )


def shown_list(doc: Doc, counts: tuple[int, int]) -> dict[str, Any]:
    """A list with (subscribers, blacklisted)."""
    subscribed, blacklisted = counts
    return {
        "id": int(doc.key), "name": doc.body["name"], "folderId": 1, "totalSubscribers": subscribed,
        "totalBlacklisted": blacklisted, "uniqueSubscribers": subscribed + blacklisted,
    }
