"""What every vendor of the sandbox offers: an ASGI app, and a way for the world to put records in and look at them.

`put_*` is the world's hand (seeding, and people editing in the vendor's own screens): it stores documents, stamps
`at`, and, when `log` is set, writes the change to the effect log with origin 'world'. `observe_*` is the judge's
eye: the values the API would show now, keyed as the API keys them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from starlette.types import ASGIApp

from sandbox.records import Customer, Item, Movement, Order, Price, Promotion, Stock
from sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """A location, price list or audience of a vendor."""

    key: str
    name: str
    kind: str
    """'location', 'price_list', 'audience' or 'subscription'."""
    currency: str = "EUR"
    timezone: str = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Settings:
    """How the vendor behaves. `token` is the only credential it accepts; the rest as the vendor documents it."""

    base_url: str = "http://127.0.0.1:8765"
    token: str = "sandbox"
    plan: str = "plus"
    """Rate-limit tier, where the vendor has several."""
    search_lag_seconds: float = 0.0
    """How long a changed record stays as it was in search results (never in reads by id)."""
    bulk_seconds: float = 0.0
    """How long a bulk job runs."""
    is_down: frozenset[str] = field(default_factory=frozenset)
    """Names of vendors that answer 503 to everything."""
    refuses: frozenset[str] = field(default_factory=frozenset)
    """Names of vendors that answer 401 to everything."""
    lacks: frozenset[str] = field(default_factory=frozenset)
    """Scopes that the credential was not granted, where the vendor has scopes and is played so far (HubSpot)."""


class Vendor(Protocol):
    """One vendor module; `VENDORS` in `sandbox.app` lists them."""

    name: str

    def app(self, store: Store, settings: Settings) -> ASGIApp:
        """The vendor's API, to be mounted at /<name>."""
        ...

    def put_places(self, store: Store, places: Iterable[Place], at: datetime) -> None:
        """Locations, price lists, audiences, subscription types; and the shop itself."""
        ...

    def put_items(self, store: Store, items: Iterable[Item], at: datetime, *, log: bool = False) -> None:
        """Insert or replace variants (and the products above them)."""
        ...

    def put_prices(self, store: Store, prices: Iterable[Price], at: datetime, *, log: bool = False) -> None:
        """Set prices of existing variants."""
        ...

    def put_promotions(self, store: Store, promotions: Iterable[Promotion], at: datetime) -> None:
        """Insert or replace promotions, where the vendor has them."""
        ...

    def put_stock(self, store: Store, levels: Iterable[Stock], at: datetime, *, log: bool = False) -> None:
        """Set levels absolutely, with no movement beside them (seeding, hand edits)."""
        ...

    def put_movements(self, store: Store, movements: Iterable[Movement], *, log: bool = False) -> None:
        """Append movements to the vendor's log and apply them to its levels, where it has a log."""
        ...

    def put_customers(self, store: Store, customers: Iterable[Customer], at: datetime, *, log: bool = False) -> None:
        """Insert or replace customers with their consent."""
        ...

    def put_orders(self, store: Store, orders: Iterable[Order], *, log: bool = False) -> None:
        """Insert or replace orders. Levels move by put_movements / put_stock, not by this."""
        ...

    def delete(self, store: Store, kind: str, keys: Iterable[str], at: datetime) -> None:
        """Delete 'items' or 'customers'; they leave the lists as the vendor's do."""
        ...

    def erase(self, store: Store, keys: Iterable[str], at: datetime) -> None:
        """Delete customers for good, on the person's demand."""
        ...

    def merge(self, store: Store, key: str, twin: str, at: datetime) -> str:
        """Make one customer of two, with the first one's values; the id that is left is not the first one's."""
        ...

    def observe_prices(self, store: Store) -> Iterator[tuple[str, str, str, str, str | None]]:
        """(item key, list, currency, amount in minor units as text, compare-at in minor units or None)."""
        ...

    def observe_stock(self, store: Store) -> Iterator[tuple[str, str, int, int]]:
        """(item key, location, on_hand, available)."""
        ...

    def observe_customers(self, store: Store) -> Iterator[Customer]:
        """Customers with their consent, as the API would show them."""
        ...
