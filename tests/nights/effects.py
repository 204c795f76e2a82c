"""Which value of the plan a change in a system is: from the words of its effect log to the words of a correction."""

from decimal import Decimal
from typing import Any

from sandbox.plan_rows import Key

_FIELDS = {
    "hubspot": {
        "firstname": "first_name", "lastname": "last_name", "phone": "phone", "address": "street", "city": "city",
        "zip": "postcode",
    },
    "mailchimp": {"FNAME": "first_name", "LNAME": "last_name", "PHONE": "phone"},
}
_MARKS_OF_CONSENT = ("hs_email_optout", "email_consent_", "status", "unsubscribed_at", "unsubscribe_reason")
_NO_MINOR_UNITS = frozenset({"JPY"})


def value_of(effect: dict[str, Any]) -> tuple[str, str, str, str] | Key:
    """(system, entity, field, vendor id, sub id) that the effect changed; a permission's side effects are permissions.

    AssertionError for a change that no correction can be: a record created, archived, merged or erased.
    """
    system, kind, name = str(effect["vendor"]), str(effect["kind"]), str(effect["field"])
    vendor_id, _, sub_id = str(effect["key"]).partition("|")
    if kind == "consents":
        return system, "consents", "state", vendor_id, sub_id or name
    if kind in ("contacts", "members", "customers"):
        if name.startswith(_MARKS_OF_CONSENT):
            return system, "consents", "state", vendor_id, "*"
        field = _FIELDS.get(system, {}).get(name, name)
        assert field in _FIELDS["hubspot"].values(), f"no correction is {effect}"
        return system, "customers", field, vendor_id, ""
    if kind == "stock":
        field = "on_hand" if system == "square" else "available"  # Shopify's on_hand follows what it has available
        return system, "stock", field, vendor_id, sub_id
    if kind == "products":
        return system, "prices", "amount", vendor_id, name
    assert kind in ("prices", "items"), f"no correction is {effect}"
    return system, kind, name, vendor_id, sub_id


def is_desired(effect: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether the value is now what the correction wanted; side effects (a date, a level that follows) are not held."""
    if row["entity"] == "prices":
        if effect["after"] is None or row["desired"] is None:
            return effect["after"] is None and row["desired"] is None
        digits = 0 if row["currency"] in _NO_MINOR_UNITS else 2
        return Decimal(str(effect["after"])).scaleb(digits) == Decimal(row["desired"])
    if row["entity"] == "consents":
        return effect["kind"] != "consents" or str(effect["after"]).lower() in (row["desired"], "unsubscribed")
    if row["entity"] == "stock" and effect["field"] == "on_hand" and effect["vendor"] == "shopify":
        return True
    return effect["after"] == row["desired"]
