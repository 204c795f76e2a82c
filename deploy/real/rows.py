"""What the real estate is filled with, whatever the system: items, customers and orders as plain rows. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One item: gross price in cents, tax rate in basis points, units by shop."""

    sku: str
    barcode: str
    name: str
    gross_minor: int
    tax_rate_bp: int
    stock: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer; consent None: never asked; points None: no loyalty card. `consent_at`: ISO 8601."""

    email: str
    first_name: str
    last_name: str
    phone: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    consent: bool | None = None
    consent_at: str | None = None
    consent_proof: str | None = None
    card: str | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Units of one item at a gross price in cents; below zero they come back."""

    sku: str
    quantity: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One sale of a shop. `key` is its own for ever: loaded twice, it is one. `at`: "2026-01-31 18:30:00", UTC."""

    key: str
    shop: str
    at: str
    lines: tuple[OrderLine, ...]
    email: str = ""
