"""Minor units to the decimal strings that WooCommerce stores, and back; and which of its two prices is paid.

WooCommerce keeps a regular price and a sale price with days of its own. Ours are what a buyer pays now (`amount`) and
what is struck through beside it (`compare_at`), so `amount` is the sale price while a sale runs. Always with a point
and the currency's digits: a comma would be dropped by the vendor, and 12,50 stored as 1250. Staging does the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.currencies import DIGITS

CURRENCY = "EUR"
"""What a correction without a currency of its own is in."""


def to_decimal(minor: str, currency: str) -> str:
    """A decimal string with the currency's digits.

    >>> to_decimal("1250", "EUR"), to_decimal("8200", "JPY")
    ('12.50', '8200')
    """
    digits = DIGITS[currency]  # the planner refuses a currency that we do not know
    return f"{Decimal(int(minor)).scaleb(-digits):.{digits}f}"


def to_minor(text: object, currency: str) -> str | None:
    """Minor units as canonical text; None for nothing. What is no amount of the currency comes back as it is.

    >>> to_minor("49.9", "EUR"), to_minor("", "EUR"), to_minor("12,50", "EUR")
    ('4990', None, '12,50')
    """
    if text is None or text == "":
        return None
    try:
        minor = Decimal(str(text)).scaleb(DIGITS[currency])
    except (InvalidOperation, KeyError):
        return str(text)
    return str(int(minor)) if minor.is_finite() and minor == minor.to_integral_value() else str(text)


@dataclass(frozen=True, slots=True)
class Paid:
    """What an item sells for, in minor units as text, and what is struck through beside it."""

    amount: str | None
    compare_at: str | None


def paid(record: Mapping[str, Any], currency: str, now: datetime) -> Paid:
    """What a product's or variation's prices come to at a moment."""
    regular, sale = to_minor(record.get("regular_price"), currency), to_minor(record.get("sale_price"), currency)
    starts, ends = _moment(record.get("date_on_sale_from_gmt")), _moment(record.get("date_on_sale_to_gmt"))
    if _is_lower(sale, regular) and (starts is None or starts <= now) and (ends is None or ends >= now):
        return Paid(sale, regular)
    return Paid(regular, None)


def is_to_come(record: Mapping[str, Any], now: datetime) -> bool:
    """Whether a sale price waits for its first day."""
    starts = _moment(record.get("date_on_sale_from_gmt"))
    return bool(record.get("sale_price")) and starts is not None and starts > now


def _is_lower(sale: str | None, regular: str | None) -> bool:
    return bool(sale and regular and sale.isdigit() and regular.isdigit()) and int(sale or 0) < int(regular or 0)


def _moment(text: object) -> datetime | None:
    """A moment in UTC, which the vendor shows without a zone."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if isinstance(text, str) and text else None
    except ValueError:
        return None
