"""Mutations that make and delete customers: customerCreate and customerDelete.

The vendor's rules kept here: an address and a phone are one customer's alone, and a permission needs an address.
"""

from sandbox.records import Consent, Customer
from sandbox.shopify import customers
from sandbox.shopify.burial import bury
from sandbox.shopify.documents import Document, customer_document, encoded
from sandbox.shopify.graph import VENDOR
from sandbox.shopify.writing import Context, effect, living, user_error
from sandbox.store import parse_stamp

_FIRST_MADE = 6_900_000_000
_STATES = {"SUBSCRIBED": "yes", "UNSUBSCRIBED": "no", "PENDING": "pending"}


def create_customer(context: Context, key: str | None, args: Document) -> Document:
    """customerCreate, with the first address as the default one."""
    call, given = context.call, args["input"]
    email, phone, consent = given.get("email") or "", given.get("phone") or "", given.get("emailMarketingConsent") or {}
    errors = customers.refuse_texts(given) + customers.refuse_phone(context, "", phone)
    if email and any(
        (doc.body["defaultEmailAddress"] or {}).get("emailAddress", "").lower() == email.lower()
        for doc in call.store.select(VENDOR, "customers", where="deleted = 0 AND instr(doc, ?) > 0", args=[email])
    ):
        errors.append(user_error("Email has already been taken", "email"))
    if not (email or phone or given.get("firstName") or given.get("lastName")):
        errors.append(user_error("A name, phone number, or email address must be present"))
    if consent and not email:
        errors.append(user_error("Customer must have an email address", "emailMarketingConsent"))
    if consent and consent["marketingState"] not in _STATES:
        errors.append(user_error("Cannot specify this as a marketing state input", "emailMarketingConsent"))
    if errors:
        return {"customer": None, "userErrors": errors}
    number, now = int(call.store.fact("shopify_customers_made") or 0) + 1, call.store.now().replace(microsecond=0)
    call.store.set_fact("shopify_customers_made", str(number))
    address, at = next(iter(given.get("addresses") or []), {}), consent.get("consentUpdatedAt")
    record = Customer(
        key=f"gid://shopify/Customer/{_FIRST_MADE + number}", first_name=given.get("firstName") or "",
        last_name=given.get("lastName") or "", email=email, phone=phone, street=address.get("address1") or "",
        city=address.get("city") or "", postcode=address.get("zip") or "",
        country=address.get("countryCode") or "", created_at=now,
        consent=Consent(
            _STATES[consent["marketingState"]],  # type: ignore[arg-type]
            parse_stamp(at) if at else now, consent.get("marketingOptInLevel") == "CONFIRMED_OPT_IN",
        ) if consent else Consent(),
    )
    document = customer_document(record, now, None)
    call.store.put(VENDOR, "customers", record.key, encoded(document), updated_at=now, lookup=phone)
    effect(call, "customers", record.key, [("created", None, record.key)], operation="customerCreate")
    return {"customer": document, "userErrors": []}


def delete_customer(context: Context, key: str | None, args: Document) -> Document:
    """customerDelete; who has ordered something stays."""
    call, wanted = context.call, args["input"]["id"]
    doc = living(call, "customers", wanted)
    if doc is None:
        return {"deletedCustomerId": None, "userErrors": [user_error("Customer can't be found", "id")]}
    if call.store.count(VENDOR, "orders", "deleted = 0 AND parent = ?", [wanted]):
        message = "Customer can't be deleted because they have associated orders"
        return {"deletedCustomerId": None, "userErrors": [user_error(message, "id")]}
    bury(call.store, "customers", doc, call.store.now())
    effect(call, "customers", wanted, [("deleted", "false", "true")], operation="customerDelete")
    return {"deletedCustomerId": wanted, "userErrors": []}
