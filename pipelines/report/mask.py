"""Masking of personal values for anything that leaves the warehouse: reports, exports, terminals.

A masked value keeps its first character, enough to tell which value of a person one already knows is meant, not enough
to learn who it is.
"""

from pipelines.currencies import DIGITS

PERSONAL_ENTITIES = frozenset({"customers", "consents"})
_STATES = frozenset({"yes", "no", "pending", "unknown"})


def masked(value: str | None) -> str:
    """The value with all but its first character hidden.

    >>> masked("Lefèvre"), masked("a@b.fr"), masked(""), masked(None)
    ('L•••', 'a•••', '', '∅')
    """
    if value is None:
        return "∅"
    return f"{value[0]}•••" if value else ""


def shown(entity: str, field: str, value: str | None, currency: str | None = None) -> str:
    """A correction's value as a person reads it: money with its currency, personal fields masked.

    >>> shown("prices", "amount", "1299", "EUR"), shown("prices", "amount", "980", "JPY")
    ('12.99 EUR', '980 JPY')
    >>> shown("consents", "state", "no"), shown("customers", "city", "Lyon")
    ('no', 'L•••')
    """
    if value is None:
        return "∅"
    if entity == "prices" and currency and value.lstrip("-").isdigit():
        return _money(int(value), currency)
    if entity in PERSONAL_ENTITIES and value not in _STATES:
        return masked(value)
    return value


def _money(minor: int, currency: str) -> str:
    digits = DIGITS.get(currency, 2)
    return f"{minor / 10**digits:.{digits}f} {currency}"
