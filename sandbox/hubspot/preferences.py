"""E-mail subscriptions: definitions, status by address, unsubscribe, and a subscribe that never undoes an opt-out.

The statuses live in the contacts' own properties, so that lists, search and preferences cannot disagree.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.hubspot.documents import CONSENT_BASIS, LEGAL_BASES, VENDOR, Properties, permission
from sandbox.hubspot.objects import Refusal, change
from sandbox.store import Doc, Store

_BASIS_OF = {CONSENT_BASIS: "CONSENT_WITH_NOTICE"} | {
    text: name for name, text in LEGAL_BASES.items() if text != CONSENT_BASIS
}


def definitions(store: Store) -> str:
    """All subscription types."""
    texts = (doc.text for doc in store.select(VENDOR, "subscriptions", where="deleted = 0"))
    return f'{{"subscriptionDefinitions":[{",".join(texts)}]}}'


def status(store: Store, email: str) -> dict[str, Any]:
    """Every subscription's status of one address."""
    contacts = _contacts(store, email)
    shown = [_status(contacts[0], doc.body) for doc in store.select(VENDOR, "subscriptions", where="deleted = 0")]
    return {"recipient": email, "subscriptionStatuses": shown}


def update(
    store: Store, request: Mapping[str, Any], *, at: str, lets_in: bool, operation: str, visible_until: str
) -> dict[str, Any]:
    """Subscribe (`lets_in`) or unsubscribe one address; Refusal where HubSpot would not."""
    email, key = str(request.get("emailAddress") or ""), str(request.get("subscriptionId") or "")
    definition = store.get(VENDOR, "subscriptions", key)
    if definition is None or not email:
        raise Refusal("VALIDATION_ERROR", "emailAddress and a known subscriptionId are required")
    for contact in _contacts(store, email):
        held: Properties = contact.body["properties"]
        before = permission(held, key)
        if lets_in and before == "no":
            raise Refusal("VALIDATION_ERROR", f"{email} has opted out of {key} and cannot be subscribed by this API")
        if before == ("yes" if lets_in else "no"):
            raise Refusal("VALIDATION_ERROR", f"{email} already has this status for {key}")
        wanted: Properties = {f"hs_email_optout_{key}": "false" if lets_in else "true", "email_consent_at": at}
        if lets_in:
            basis = str(request.get("legalBasis") or "NON_GDPR")
            if basis not in LEGAL_BASES:
                raise Refusal("VALIDATION_ERROR", f"legalBasis {basis} is not known")
            wanted["hs_legal_basis"] = LEGAL_BASES[basis]
        else:
            wanted["email_consent_proof"] = None
        changed = change(
            store, "contacts", contact, wanted, at=at, origin="api", operation=operation, visible_until=visible_until
        )
        after = permission(changed.body["properties"], key)
        store.effect(VENDOR, "consents", contact.key, key, before, after, origin="api", operation=operation)
    return _status(_contacts(store, email)[0], definition.body)


def _contacts(store: Store, email: str) -> list[Doc]:
    where = "lookup = ? AND deleted = 0"
    found = list(store.select(VENDOR, "contacts", where=where, args=[email.strip().lower()]))
    if not found:
        raise Refusal("OBJECT_NOT_FOUND", "no contact has this address")
    return found


def _status(contact: Doc, definition: Mapping[str, Any]) -> dict[str, Any]:
    held: Properties = contact.body["properties"]
    shown = {
        "id": definition["id"],
        "name": definition["name"],
        "description": definition["description"],
        "status": "SUBSCRIBED" if permission(held, definition["id"]) == "yes" else "NOT_SUBSCRIBED",
        "sourceOfStatus": "PORTAL_WIDE_STATUS" if held.get("hs_email_optout") == "true" else "SUBSCRIPTION_STATUS",
    }
    basis = _BASIS_OF.get(held.get("hs_legal_basis") or "")
    return shown | ({"legalBasis": basis} if basis else {})
