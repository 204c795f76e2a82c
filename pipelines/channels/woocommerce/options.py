"""What `[systems.woocommerce.options]` of estate.toml may say, and what holds where it says nothing.

    consent_no_words      which words a newsletter plugin keeps for who withdrew, and not for who left a box unticked:
                          "0, no"; else "unsubscribed" alone
    consent_meta_key      under which key of a customer that plugin keeps the permission; none: there is none
    card_meta_key         under which key the loyalty card is kept
    birth_date_meta_key   under which key the birth date is kept, as YYYY-MM-DD
    customer_role         whose accounts are read: "customer", another role, or "all"
    orders_days           how far back a census of orders goes; 400 days
    calls_per_second      how fast the shop is asked; 10
"""

from collections.abc import Mapping

from pipelines.channels.woocommerce.consent import NO_WORDS, PAIRS
from pipelines.errors import ConfigurationError

CONSENT_META, CARD_META, BIRTH_META = "consent_meta_key", "card_meta_key", "birth_date_meta_key"
ORDERS_DAYS = 400
CALLS_PER_SECOND = 10.0
_KEPT = (CONSENT_META, CARD_META, BIRTH_META)


def kept_options(options: Mapping[str, str]) -> dict[str, str]:
    """The options that say where plugins keep things and how, for the stage models; those that are set."""
    kept = {name: options[name].strip() for name in _KEPT if options.get(name, "").strip()}
    return kept | {"consent_no_words": ",".join(sorted(no_words(options)))} if CONSENT_META in kept else kept


def no_words(options: Mapping[str, str]) -> frozenset[str]:
    """The words that are a withdrawal. ConfigurationError for one that means yes."""
    text = options.get("consent_no_words", "").lower()
    words = frozenset(word.strip() for word in text.split(",")) - {""} or NO_WORDS
    if wrong := sorted(words & PAIRS.keys()):
        place = "[systems.woocommerce.options] consent_no_words"
        raise ConfigurationError(f"{place} names {wrong[0]!r}, which is a yes; take it out", system="woocommerce")
    return words


def customer_role(options: Mapping[str, str]) -> str:
    """Whose accounts are read."""
    return options.get("customer_role", "").strip() or "customer"


def orders_days(options: Mapping[str, str]) -> int:
    """How many days a census of orders goes back. ConfigurationError for what is no such number."""
    text = options.get("orders_days", str(ORDERS_DAYS)).strip()
    if not text.isdigit() or not 0 < int(text) <= 36_500:
        place = "[systems.woocommerce.options] orders_days"
        raise ConfigurationError(f"{place} is {text!r}; write a number of days, such as \"400\"", system="woocommerce")
    return int(text)


def calls_per_second(options: Mapping[str, str]) -> float:
    """How many calls a second the shop gets. ConfigurationError for what is no such number."""
    text = options.get("calls_per_second", str(CALLS_PER_SECOND)).strip()
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1000:
        place = "[systems.woocommerce.options] calls_per_second"
        raise ConfigurationError(f"{place} is {text!r}; write a number of calls, such as \"5\"", system="woocommerce")
    return rate
