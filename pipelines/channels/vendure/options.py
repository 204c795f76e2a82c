"""What the estate says of a Vendure that its API cannot: the retailer's own fields, and where orders go out from.

    [systems.vendure]
    options = { gtin_field = "ean", consent_field = "emailConsent", consent_at_field = "emailConsentAt" }

A custom field is any name that the shop's developers chose, so none is guessed: what is not named is neither read nor
written. Checked when the session is made; reads nothing else.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from pipelines.errors import ConfigurationError

SYSTEM = "vendure"
VARIANT_FIELDS: Mapping[str, str] = MappingProxyType({"gtin_field": "gtin"})
CUSTOMER_FIELDS: Mapping[str, str] = MappingProxyType({
    "consent_field": "consent", "consent_at_field": "consentAt", "consent_proof_field": "consentProof",
    "card_field": "card", "birth_date_field": "birthDate", "points_field": "points",
})
"""Option to the name under which its custom field is read: the raw tables are alike, whatever the shop calls it."""
KNOWN = frozenset({
    *VARIANT_FIELDS, *CUSTOMER_FIELDS, "username", "channel_token", "api_key_header", "api_path", "orders_days",
    "order_location", "country",
})
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


def check_options(options: Mapping[str, str]) -> None:
    """ConfigurationError for an option that nothing reads, a custom field that is no name, a number that is none."""
    if strange := sorted(set(options) - KNOWN):
        raise _error(f"no such option: {', '.join(strange)}; allowed: {', '.join(sorted(KNOWN))}")
    for option in (*VARIANT_FIELDS, *CUSTOMER_FIELDS):
        if option in options and not _NAME.fullmatch(options[option]):
            raise _error(f"{option} is not the name of a custom field; allowed: letters, digits and _")
    if not options.get("orders_days", "1").isdecimal():
        raise _error("orders_days is not a number of days; allowed: a whole number, as 400")
    if "consent_field" not in options and options.keys() & {"consent_at_field", "consent_proof_field"}:
        raise _error("a consent's time or proof says nothing without consent_field")


def custom_selection(options: Mapping[str, str], fields: Mapping[str, str]) -> str:
    """The GraphQL selection of the custom fields that are named, each under its own name of ours; '' for none."""
    named = [f"{alias}: {options[option]}" for option, alias in fields.items() if option in options]
    return f"customFields {{ {' '.join(named)} }}" if named else ""


def unnamed(option: str) -> str:
    """What to say of a value that has no place in this shop, as far as the estate tells."""
    return f"no custom field is named for it: set the option {option}"


def _error(message: str) -> ConfigurationError:
    return ConfigurationError(f"options of [systems.{SYSTEM}]: {message}", system=SYSTEM)
