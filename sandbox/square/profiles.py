"""Square's profiles made and deleted through the API: bulk-create and bulk-delete, an answer per profile.

A profile needs a name, an address, a phone or a company; the key of each is its idempotency key, under which it is made
once. Nothing is said of e-mail permission, which cannot be written.
"""

from typing import Any

from sandbox.square import customers, wire
from sandbox.square.wire import NAME, Body, Refusal
from sandbox.store import Store, stamp

BULK_LIMIT = 100
_ANY_OF = ("given_name", "family_name", "company_name", "email_address", "phone_number")


def create(store: Store, body: Body) -> str:
    """POST /v2/customers/bulk-create."""
    sent = body.get("customers")
    if not isinstance(sent, dict) or not sent:
        raise Refusal(400, "EXPECTED_MAP", "Expected a map of customers.", field="customers")
    if len(sent) > BULK_LIMIT:
        raise Refusal(400, "TOO_MANY_MAP_ENTRIES", f"At most {BULK_LIMIT} customers.", field="customers")
    responses: dict[str, Any] = {}
    with store.transaction():
        for key, given in sent.items():
            try:
                responses[key] = {"customer": _create_one(store, key, given)}
            except Refusal as refusal:
                responses[key] = {"errors": [refusal.error]}
    return wire.reply(responses=wire.encode(responses))


def _create_one(store: Store, key: str, given: Any) -> dict[str, Any]:
    known = store.get(NAME, "customer_keys", key)
    if known is not None:
        return known.body
    customers.check(given)
    if not any(given.get(name) for name in _ANY_OF):
        raise Refusal(400, "BAD_REQUEST", "At least a name, an e-mail address or a phone number is needed.")
    number, now = int(store.fact("square_customers_made") or 0) + 1, store.now()
    store.set_fact("square_customers_made", str(number))
    fields = {name: value for name, value in given.items() if value not in (None, "")}
    made = {
        "id": f"CMADE{number:012d}", "created_at": stamp(now), "updated_at": stamp(now), **fields,
        "preferences": {"email_unsubscribed": False}, "creation_source": "THIRD_PARTY", "version": 0,
    }
    store.put(
        NAME, "customers", made["id"], wire.encode(made), updated_at=now,
        lookup=str(made.get("email_address") or "").lower(),
    )
    store.put(NAME, "customer_keys", key, wire.encode(made), updated_at=now)
    store.effect(NAME, "customers", made["id"], "created", None, made["id"], origin="api",
                 operation="BulkCreateCustomers")
    return made


def delete(store: Store, body: Body) -> str:
    """POST /v2/customers/bulk-delete."""
    keys = [str(key) for key in wire.items_of(body, "customer_ids", maximum=BULK_LIMIT)]
    docs = store.get_many(NAME, "customers", keys)
    responses: dict[str, Any] = {}
    with store.transaction():
        for key in keys:
            doc = docs.get(key)
            if doc is None or doc.deleted:
                responses[key] = {"errors": [customers.gone(key)]}
                continue
            store.put(NAME, "customers", key, doc.text, updated_at=store.now(), lookup=doc.lookup, deleted=True)
            store.effect(NAME, "customers", key, "deleted", "false", "true", origin="api",
                         operation="BulkDeleteCustomers")
            responses[key] = {}
    return wire.reply(responses=wire.encode(responses))
