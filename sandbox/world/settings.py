"""How large the world is, when it starts, and how often things happen in it. No drawing here.

Shares are of rows or persons; a count is `max(least, share * size)`, so that the smallest world has every class and
the default world stays under the caps that its estate sets (`CAP_SHARE_PCT`, at least 50 rows).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

TIMEZONE = "Europe/Paris"
FIRST_NIGHT = date(2026, 6, 15)
EPOCH = datetime(2026, 6, 15, 0, 0, tzinfo=UTC)
"""Night 0: 2026-06-15 at 02:00 in Paris."""

CAP_SHARE_PCT = {"items": 5.0, "prices": 6.0, "stock": 10.0, "customers": 15.0}
"""The estate's caps per system and field; the first night's natural differences must stay under them too."""
CAP_FLOOR_ROWS = 50
MOST_GONE = 0.20
"""Of what a system was made with, no more than this share is ever deleted: a small world must not run empty."""
WEBSHOPS = ("shopify",)
EMAIL_TOOLS = ("mailchimp", "brevo")
"""The systems that can play these parts, the usual one first."""
HOLD_HOURS = 40
"""How long a shop keeps goods for a customer: what is ordered one day is for sale again by the second night."""
MAX_CLASS_SHARE = 0.60
MAX_JUMP = 0.30
HISTORY_DAYS = 90


class WorldError(Exception):
    """The world cannot be made as asked, or broke one of its own rules."""


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """Sizes and seed. The same settings give the same world, byte for byte, on any supported Python."""

    seed: int = 7
    variants: int = 2_000
    persons: int = 8_000
    shops: int = 6
    over_cap: bool = False
    """Lets each day edit so many prices that the estate's cap must hold them."""
    webshop: str = WEBSHOPS[0]
    email: str = EMAIL_TOOLS[0]
    first_night: str = FIRST_NIGHT.isoformat()
    """The shops' local date of night 0: another season, another clock."""

    def __post_init__(self) -> None:
        for name, low, high in (("variants", 20, 1_000_000), ("persons", 20, 1_000_000), ("shops", 2, 500)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise WorldError(f"{name} must lie between {low} and {high}, not {value}")
        for name, players in (("webshop", WEBSHOPS), ("email", EMAIL_TOOLS)):
            if getattr(self, name) not in players:
                raise WorldError(f"{name} must be one of {', '.join(players)}, not {getattr(self, name)}")
        if self.seed < 0:
            raise WorldError(f"seed must not be negative, not {self.seed}")

    @property
    def epoch(self) -> datetime:
        """When night 0 runs."""
        return night_time(0, self.first_night)


@dataclass(frozen=True, slots=True)
class DayRates:
    """What one day holds: (share of the size, least count) per kind of event."""

    authority_price_edits: tuple[float, int] = (0.012, 3)
    shopify_price_edits: tuple[float, int] = (0.006, 2)
    hubspot_price_edits: tuple[float, int] = (0.006, 2)
    both_price_edits: tuple[float, int] = (0.004, 2)
    promotion_items: tuple[float, int] = (0.008, 2)
    guarded_prices: tuple[float, int] = (0.003, 3)
    new_products: tuple[float, int] = (0.004, 1)
    bad_items: tuple[float, int] = (0.002, 2)
    deleted_items: tuple[float, int] = (0.001, 1)
    """In each of the systems that sell."""
    edits_of_deleted_items: tuple[float, int] = (0.001, 1)
    store_sales: tuple[float, int] = (0.028, 2)
    late_sales: tuple[float, int] = (0.002, 1)
    store_returns: tuple[float, int] = (0.004, 1)
    deliveries: tuple[float, int] = (0.006, 1)
    counts: tuple[float, int] = (0.003, 1)
    web_orders: tuple[float, int] = (0.030, 2)
    fulfilments: tuple[float, int] = (0.018, 2)
    cancels: tuple[float, int] = (0.003, 1)
    pickups: tuple[float, int] = (0.003, 3)
    """Web orders to be collected in a shop; some are set aside at the till too, some paid there ahead."""
    till_holds: tuple[float, int] = (0.002, 2)
    level_edits: tuple[float, int] = (0.012, 2)
    new_levels: tuple[float, int] = (0.003, 1)
    authority_customer_edits: tuple[float, int] = (0.005, 2)
    here_customer_edits: tuple[float, int] = (0.003, 2)
    both_customer_edits: tuple[float, int] = (0.002, 1)
    moves: tuple[float, int] = (0.001, 1)
    new_customers: tuple[float, int] = (0.003, 2)
    joining_customers: tuple[float, int] = (0.003, 2)
    gone_customers: tuple[float, int] = (0.0002, 1)
    """For each way of going in each system."""
    bad_customers: tuple[float, int] = (0.0005, 1)
    opt_outs: tuple[float, int] = (0.006, 4)
    proven_opt_ins: tuple[float, int] = (0.0015, 2)
    unproven_opt_ins: tuple[float, int] = (0.001, 2)

    def count(self, kind: str, size: int) -> int:
        """How many of `kind` in a world of `size`."""
        share, least = getattr(self, kind)
        return max(least, int(share * size))


def night_date(night: int, first: str = FIRST_NIGHT.isoformat()) -> date:
    """The shops' local date when night `night` runs, where night 0 is `first`."""
    return date.fromisoformat(first) + timedelta(days=night)


def night_time(night: int, first: str = FIRST_NIGHT.isoformat()) -> datetime:
    """When night `night` runs: 02:00 in the shops' time zone, as UTC."""
    day = night_date(night, first)
    return datetime(day.year, day.month, day.day, 2, tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)
