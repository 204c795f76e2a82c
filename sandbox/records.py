"""Records in which the world speaks to the vendors: one vendor-neutral type per entity.

Every `key` is the id as that vendor's API shows it (Shopify: the full gid). Money is in minor units of its
currency. A vendor module turns a record into its own documents and back (`vendor.Vendor`).
A field typed `int | str` holds a string only where the world plants dirt (a price of "12,50").
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

__all__ = [
    "Item", "Price", "Promotion", "Stock", "Movement", "Customer", "Consent", "Line", "Pickup", "Order", "replace",
]

ConsentState = Literal["yes", "no", "pending", "none"]
MovementKind = Literal["sale", "return", "restock", "receipt", "count", "transfer", "loss"]
OrderState = Literal["open", "fulfilled", "cancelled"]
PickupState = Literal["placed", "collected", "cancelled"]


@dataclass(frozen=True, slots=True)
class Item:
    """One sellable variant in one system."""

    key: str
    parent: str
    """Id of the product above it (Square ITEM, Shopify Product; HubSpot: equal to key)."""
    sku: str
    gtin: str
    title: str
    option: str
    category: str
    vat_bp: int
    """2000, 1000, 550 or 210 basis points."""
    tax: Literal["gross", "net"]
    """Whether this system's prices of the item include the tax."""
    tracked: bool = True
    kit: bool = False
    status: Literal["active", "unpublished", "archived"] = "active"
    cost: int | None = None
    """Purchase price, EUR cents net, where the system holds one."""
    inventory_key: str = ""
    """Shopify's InventoryItem gid."""


@dataclass(frozen=True, slots=True)
class Price:
    """One price of one item in one list of one system."""

    item: str
    list: str
    """'base', 'location:<id>' (Square override), a PriceList gid (Shopify), a property name (HubSpot)."""
    currency: str
    amount: int | str
    compare_at: int | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """A percentage off the base price for some items between two local dates, both included (Square pricing rule)."""

    key: str
    name: str
    items: tuple[str, ...]
    percent: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Stock:
    """Units of one item at one location of one system. Shopify: available = on_hand - committed."""

    item: str
    location: str
    on_hand: int
    committed: int = 0
    inventory_key: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of Square's stock, as its inventory log shows it."""

    key: str
    item: str
    location: str
    kind: MovementKind
    quantity: int
    """Signed difference; for `count` the counted absolute quantity."""
    at: datetime
    order: str = ""
    """The till's order that caused it, where the log names one."""


@dataclass(frozen=True, slots=True)
class Consent:
    """E-mail permission of one customer record (or member) in one system, in the vendor's own terms where given."""

    state: ConsentState = "none"
    at: datetime | None = None
    is_proven: bool = False
    """Double opt-in with time and address kept: the only thing that counts as proof."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """One person's record in one system. Fields are as dirty as people type them."""

    key: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = "FR"
    card: str = ""
    birth_date: str = ""
    """ISO date or ''."""
    created_at: datetime | None = None
    consent: Consent = field(default_factory=Consent)


@dataclass(frozen=True, slots=True)
class Line:
    """One order line."""

    key: str
    item: str
    quantity: int
    unit_price: int
    returned: int = 0


@dataclass(frozen=True, slots=True)
class Pickup:
    """Goods of an order that wait behind the counter to be collected."""

    state: PickupState = "placed"
    reference: str = ""
    """The order of another system that they are set aside for."""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One sale. `open`: units are committed; `fulfilled`: they have left; `cancelled`: they came back."""

    key: str
    location: str
    customer: str
    currency: str
    lines: tuple[Line, ...]
    created_at: datetime
    updated_at: datetime
    state: OrderState = "fulfilled"
    pickup: Pickup | None = None
