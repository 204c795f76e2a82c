"""Mutations of customers: names and phone, the default address, and the e-mail permission.

The vendor's rules kept here: a phone is unique and in E.164; a permission needs an e-mail address; only SUBSCRIBED,
UNSUBSCRIBED and PENDING can be written, PENDING only as a double opt-in, and never with a time to come.
"""

import re

from sandbox.shopify.documents import Document, gid, moment
from sandbox.shopify.graph import VENDOR
from sandbox.shopify.writing import Change, Context, effect, living, save, user_error
from sandbox.store import Doc, parse_stamp

_MAX_TEXT = 255
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_WRITABLE = frozenset({"SUBSCRIBED", "UNSUBSCRIBED", "PENDING"})
_NAMES = {"firstName": ("first_name", "First name"), "lastName": ("last_name", "Last name")}
_PARTS = {"address1": "street", "city": "city", "zip": "postcode", "countryCode": "country"}


def update_customer(context: Context, key: str | None, args: Document) -> Document:
    """customerUpdate: names and phone."""
    call, given = context.call, args["input"]
    doc = living(call, "customers", given.get("id") or "")
    if doc is None:
        return {"customer": None, "userErrors": [user_error("Customer does not exist", "id")]}
    errors = refuse_texts(given) + refuse_phone(context, doc.key, given.get("phone"))
    if errors:
        return {"customer": doc.body, "userErrors": errors}
    body, changed = doc.body, dict(doc.body)
    changes: list[Change] = []
    for name, (logged, _) in _NAMES.items():
        if name in given:
            changed[name] = given[name] or None
            changes.append((logged, body[name], changed[name]))
    if "phone" in given:
        changed["defaultPhoneNumber"] = {"phoneNumber": given["phone"]} if given["phone"] else None
        changes.append(("phone", doc.lookup or None, given["phone"] or None))
    changed["displayName"] = " ".join(filter(None, (changed["firstName"], changed["lastName"])))
    if effect(call, "customers", doc.key, changes, operation="customerUpdate"):
        lookup = (changed["defaultPhoneNumber"] or {}).get("phoneNumber", "")
        body = save(call, "customers", doc, changed, lookup=lookup)
    return {"customer": body, "userErrors": []}


def refuse_texts(given: Document) -> list[Document]:
    """User errors for names that are too long."""
    return [
        user_error(f"{shown} is too long (maximum is {_MAX_TEXT} characters)", name)
        for name, (_, shown) in _NAMES.items()
        if len(given.get(name) or "") > _MAX_TEXT
    ]


def refuse_phone(context: Context, customer: str, phone: str | None) -> list[Document]:
    """User errors for a phone that is none, or that another customer has."""
    store = context.call.store
    if not phone or store.count(VENDOR, "customers", "deleted = 0 AND lookup = ? AND key = ?", [phone, customer]):
        return []
    if not _PHONE.fullmatch(phone):
        return [user_error("Phone is invalid", "phone")]
    taken = store.count(VENDOR, "customers", "deleted = 0 AND lookup = ? AND key <> ?", [phone, customer])
    return [user_error("Phone has already been taken", "phone")] if taken else []


def create_address(context: Context, key: str | None, args: Document) -> Document:
    """customerAddressCreate; the sandbox keeps the default address alone."""
    call = context.call
    doc = living(call, "customers", args["customerId"])
    if doc is None:
        return {"address": None, "userErrors": [user_error("Customer does not exist", "customerId")]}
    empty = dict.fromkeys(("firstName", "lastName", "address1", "address2", "city", "zip", "phone", "countryCodeV2"))
    return _save_address(context, doc, {"id": gid("MailingAddress", doc.key), **empty}, args, "customerAddressCreate")


def update_address(context: Context, key: str | None, args: Document) -> Document:
    """customerAddressUpdate: fields left out stay as they are."""
    call = context.call
    doc = living(call, "customers", args["customerId"])
    if doc is None:
        return {"address": None, "userErrors": [user_error("Customer does not exist", "customerId")]}
    address = doc.body["defaultAddress"]
    if address is None or address["id"] != args["addressId"]:
        return {"address": None, "userErrors": [user_error("Address does not exist", "addressId")]}
    return _save_address(context, doc, address, args, "customerAddressUpdate")


def _save_address(context: Context, doc: Doc, address: Document, args: Document, operation: str) -> Document:
    call, given = context.call, args["address"]
    long = [name for name, value in given.items() if len(value or "") > _MAX_TEXT]
    if long:
        return {"address": None, "userErrors": [user_error(f"{name} is too long", "address", name) for name in long]}
    changed = dict(address)
    changes: list[Change] = []
    for name, value in given.items():
        kept = "countryCodeV2" if name == "countryCode" else name
        changed[kept] = value or None
        if name in _PARTS:
            changes.append((_PARTS[name], address[kept], changed[kept]))
    if effect(call, "customers", doc.key, changes, operation=operation) or changed != address:
        save(call, "customers", doc, {**doc.body, "defaultAddress": changed})
    return {"address": changed, "userErrors": []}


def update_consent(context: Context, key: str | None, args: Document) -> Document:
    """customerEmailMarketingConsentUpdate."""
    call, given = context.call, args["input"]["emailMarketingConsent"]
    doc = living(call, "customers", args["input"]["customerId"])
    if doc is None:
        error = user_error("Customer does not exist", "input", "customerId", code="INVALID")
        return {"customer": None, "userErrors": [error]}
    email = doc.body["defaultEmailAddress"]
    refused = _refuse_consent(context, given, has_email=email is not None)
    if refused:
        return {"customer": doc.body, "userErrors": [refused]}
    changed = {
        **email, "marketingState": given["marketingState"],
        "marketingOptInLevel": given.get("marketingOptInLevel") or email["marketingOptInLevel"] or "SINGLE_OPT_IN",
        "marketingUpdatedAt": moment(
            parse_stamp(given["consentUpdatedAt"]) if given.get("consentUpdatedAt") else call.store.now()
        ),
    }
    before, after = email["marketingState"], changed["marketingState"]
    operation = "customerEmailMarketingConsentUpdate"
    effect(call, "consents", f"{doc.key}|email", [("state", before, after)], operation=operation)
    body = save(call, "customers", doc, {**doc.body, "defaultEmailAddress": changed})
    return {"customer": body, "userErrors": []}


def _refuse_consent(context: Context, given: Document, *, has_email: bool) -> Document | None:
    where = ("input", "emailMarketingConsent")
    if not has_email:
        return user_error("Customer must have an email address", "input", "customerId", code="INVALID")
    if given["marketingState"] not in _WRITABLE:
        message = f"Cannot specify {given['marketingState']} as a marketing state input"
        return user_error(message, *where, "marketingState", code="INVALID")
    if given["marketingState"] == "PENDING" and given.get("marketingOptInLevel") not in (None, "CONFIRMED_OPT_IN"):
        message = "Marketing opt in level must be CONFIRMED_OPT_IN when the marketing state is PENDING"
        return user_error(message, *where, "marketingOptInLevel", code="INVALID")
    at = given.get("consentUpdatedAt")
    if at and parse_stamp(at) > context.call.store.now():
        return user_error("Consent updated at must be in the past", *where, "consentUpdatedAt", code="INVALID")
    return None
