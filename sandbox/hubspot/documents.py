"""Contacts and products as HubSpot shows them: which properties exist, and records turned into documents and back.

A property is text or null. Money is decimal text without trailing zeros ("49.9"), as HubSpot gives numbers back.
`email_consent_at` and `email_consent_proof` are properties of this retailer's own, stamped by its workflow whenever
an e-mail permission changes: HubSpot's objects carry no time of consent by themselves.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from sandbox.records import Consent, Customer, Item
from sandbox.store import Doc, Store, parse_stamp, stamp

VENDOR = "hubspot"
CONSENT_BASIS = "Freely given consent from contact"
LEGAL_BASES = {
    "LEGITIMATE_INTEREST_PQL": "Legitimate interest – prospect/lead",
    "LEGITIMATE_INTEREST_CLIENT": "Legitimate interest – existing customer",
    "LEGITIMATE_INTEREST_OTHER": "Legitimate interest - other",
    "PERFORMANCE_OF_CONTRACT": "Performance of a contract",
    "CONSENT_WITH_NOTICE": CONSENT_BASIS,
    "NON_GDPR": "Not applicable",
    "PROCESS_AND_STORE": CONSENT_BASIS,
}
NUMBERS = frozenset({"price", "hs_price_chf", "hs_price_jpy", "hs_cost_of_goods_sold"})
WRITABLE = {
    "contacts": frozenset({
        "email", "firstname", "lastname", "phone", "mobilephone", "address", "city", "zip", "country", "loyalty_card",
        "date_of_birth", "hs_legal_basis", "email_consent_at", "email_consent_proof",
    }),
    "products": NUMBERS | {"name", "hs_sku", "description", "category", "hs_status"},
}
READ_ONLY = {
    "contacts": frozenset({
        "createdate", "lastmodifieddate", "hs_object_id", "hs_email_optout", "hs_merged_object_ids",
    }),
    "products": frozenset({"createdate", "hs_lastmodifieddate", "hs_object_id"}),
}
MODIFIED = {"contacts": "lastmodifieddate", "products": "hs_lastmodifieddate"}
DEFAULTS = {
    "contacts": frozenset({"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}),
    "products": frozenset({"createdate", "description", "hs_lastmodifieddate", "hs_object_id", "name", "price"}),
}
ALWAYS = {kind: READ_ONLY[kind] & DEFAULTS[kind] for kind in DEFAULTS}
PRICE_LISTS = {"base": "price", "price": "price", "hs_price_chf": "hs_price_chf", "hs_price_jpy": "hs_price_jpy"}
"""What the world calls a list, and the property that holds it."""
_ZERO_DECIMALS = frozenset({"hs_price_jpy"})
_OPTOUT = re.compile(r"hs_email_optout_[0-9]+")

Properties = dict[str, str | None]


def subscription_ids(store: Store) -> list[str]:
    """Subscription types, oldest first; the first is the one the world's consents speak of."""
    return [doc.key for doc in store.select(VENDOR, "subscriptions", where="deleted = 0")]


def known_properties(store: Store, kind: str) -> frozenset[str]:
    """Every property the account has for a kind of object."""
    names = WRITABLE[kind] | READ_ONLY[kind]
    if kind == "contacts":
        names |= {f"hs_email_optout_{key}" for key in subscription_ids(store)}
    return names


def is_optout(name: str) -> bool:
    """Whether a property is one subscription type's opt-out, written by the preferences API alone."""
    return name == "hs_email_optout" or _OPTOUT.fullmatch(name) is not None


def number_text(value: str) -> str | None:
    """A number as HubSpot keeps it; None for what is none."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(amount: int | str, property_name: str) -> str:
    """Minor units as the decimal text of that property's currency; planted dirt goes through untouched."""
    if isinstance(amount, str):
        return amount
    digits = 0 if property_name in _ZERO_DECIMALS else 2
    return number_text(f"{Decimal(amount).scaleb(-digits):f}") or "0"


def minor_text(text: str, property_name: str) -> str:
    """The inverse of `price_text`; what is no number comes back as it is."""
    number = number_text(text)
    if number is None:
        return text
    digits = 0 if property_name in _ZERO_DECIMALS else 2
    return f"{Decimal(number).scaleb(digits).normalize():f}"


def document(
    kind: str, key: str, properties: Mapping[str, str | None], names: Iterable[str], *, created_at: str,
    updated_at: str, archived_at: str | None = None,
) -> str:
    """The JSON text of one object with all its properties."""
    full: Properties = {name: properties.get(name) for name in sorted({*names, *properties})}
    full |= {"hs_object_id": key, "createdate": created_at, MODIFIED[kind]: updated_at}
    body: dict[str, Any] = {
        "id": key, "properties": full, "createdAt": created_at, "updatedAt": updated_at,
        "archived": archived_at is not None,
    }
    if archived_at is not None:
        body["archivedAt"] = archived_at
    return msgspec.json.encode(body).decode()


def customer_properties(customer: Customer, subscription: str) -> Properties:
    """A world's customer as contact properties. HubSpot has no pending state: it reads as no status."""
    consent = customer.consent
    properties: Properties = {
        "firstname": customer.first_name, "lastname": customer.last_name, "email": customer.email,
        "phone": customer.phone, "address": customer.street, "city": customer.city, "zip": customer.postcode,
        "country": customer.country, "loyalty_card": customer.card, "date_of_birth": customer.birth_date,
        f"hs_email_optout_{subscription}": None, "hs_legal_basis": None, "email_consent_at": None,
        "email_consent_proof": None,
    }
    if consent.state in ("yes", "no"):
        properties[f"hs_email_optout_{subscription}"] = "true" if consent.state == "no" else "false"
        properties["email_consent_at"] = stamp(consent.at) if consent.at else None
        if consent.state == "yes":
            properties["hs_legal_basis"] = CONSENT_BASIS
            properties["email_consent_proof"] = "double_opt_in" if consent.is_proven else None
    return {name: value or None for name, value in properties.items()}


def permission(properties: Mapping[str, str | None], subscription: str) -> str:
    """'yes', 'no' or 'none' for one subscription type."""
    own = properties.get(f"hs_email_optout_{subscription}")
    if properties.get("hs_email_optout") == "true" or own == "true":
        return "no"
    return "yes" if own == "false" and properties.get("hs_legal_basis") == CONSENT_BASIS else "none"


def customer_of(doc: Doc, subscription: str) -> Customer:
    """A contact as the world's record."""
    body = doc.body
    held: Properties = body["properties"]

    def text(name: str) -> str:
        return held.get(name) or ""

    state = permission(held, subscription)
    said_at = held.get("email_consent_at")
    return Customer(
        key=doc.key, first_name=text("firstname"), last_name=text("lastname"), email=text("email"),
        phone=text("phone"), street=text("address"), city=text("city"), postcode=text("zip"),
        country=text("country"), card=text("loyalty_card"), birth_date=text("date_of_birth"),
        created_at=parse_stamp(body["createdAt"]),
        consent=Consent(
            state="yes" if state == "yes" else "no" if state == "no" else "none",
            at=parse_stamp(said_at) if said_at and state != "none" else None,
            is_proven=state == "yes" and held.get("email_consent_proof") == "double_opt_in",
            source=held.get("hs_legal_basis") or "",
        ),
    )


def item_properties(item: Item) -> Properties:
    """A world's variant as product properties, prices apart."""
    title = f"{item.title} {item.option}".strip()
    cost = None if item.cost is None else price_text(item.cost, "hs_cost_of_goods_sold")
    return {
        "name": title or None, "hs_sku": item.sku or None, "category": item.category or None,
        "hs_status": "active" if item.status == "active" else "inactive", "hs_cost_of_goods_sold": cost,
    }


def created_of(created_at: datetime | None, at: datetime) -> str:
    """When an object was made: as the record says, else now."""
    return stamp(created_at or at)
