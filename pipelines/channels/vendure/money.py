"""Our minor units and Vendure's stored amounts: these have the shop's one precision, ours the currency's own digits.

Only for writing and reading back by id; staging reads amounts in SQL.
"""

from pipelines.currencies import DIGITS


def to_stored(minor: int, currency: str, precision: int) -> int | None:
    """The stored amount; None where the shop's precision cannot hold it.

    >>> to_stored(4990, "EUR", 2), to_stored(100, "JPY", 2), to_stored(12345, "KWD", 2)
    (4990, 10000, None)
    """
    shift = precision - DIGITS[currency]
    if shift >= 0:
        return minor * int(10**shift)
    whole, rest = divmod(minor, int(10**-shift))
    return None if rest else whole


def to_minor(stored: int, currency: str, precision: int) -> str:
    """Minor units as canonical text; a fraction of one stays visible as what is no whole number.

    >>> to_minor(4990, "EUR", 2), to_minor(10000, "JPY", 2), to_minor(10050, "JPY", 2)
    ('4990', '100', '100.5')
    """
    shift = precision - DIGITS[currency]
    if shift <= 0:
        return str(stored * 10**-shift)
    whole, rest = divmod(stored, 10**shift)
    return f"{whole}.{rest:0{shift}d}".rstrip("0") if rest else str(whole)
