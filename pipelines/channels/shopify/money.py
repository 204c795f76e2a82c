"""Minor units to the decimal strings that Shopify takes, and back. Total: what is no amount is handed on as text.

Only for writing and reading back by id; staging reads amounts in SQL (`to_minor`).
"""

from decimal import Decimal, InvalidOperation

from pipelines.currencies import DIGITS


def to_decimal(minor: str, currency: str) -> str:
    """A decimal string with the currency's digits.

    >>> to_decimal("4990", "EUR"), to_decimal("8200", "JPY")
    ('49.90', '8200')
    """
    digits = DIGITS[currency]  # the planner refuses a currency that we do not know
    return f"{Decimal(int(minor)).scaleb(-digits):.{digits}f}"


def to_minor(text: str | None, currency: str) -> str | None:
    """Minor units as canonical text. None stays None; text that is no amount of the currency stays as it is.

    >>> to_minor("49.9", "EUR"), to_minor("8200.0", "JPY"), to_minor("12,50", "EUR")
    ('4990', '8200', '12,50')
    """
    if text is None or currency not in DIGITS:
        return text
    try:
        minor = Decimal(text).scaleb(DIGITS[currency])
    except InvalidOperation:
        return text
    return str(int(minor)) if minor == minor.to_integral_value() else text
