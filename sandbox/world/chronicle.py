"""The world's diary: what it did by hand and must know again tomorrow. Kept in `truth/chronicle.json`.

Bad rows it planted, promotions it announced, web orders still open, records that are gone, and the next free number of
everything it mints.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.world.settings import WorldSettings


@dataclass(slots=True)
class BadRow:
    """One row of dirt that must go to quarantine. `item` is the variant it spoils, or -1."""

    system: str
    entity: str
    field: str
    vendor_id: str
    vendor_sub_id: str
    note: str
    item: int = -1
    heard: tuple[str, ...] = ()
    """Other systems that must have been heard before it can be seen that it is bad."""


@dataclass(slots=True)
class Announced:
    """A promotion: some variants, a percentage, local dates (both included)."""

    key: str
    items: list[int]
    percent: int
    starts_on: str
    ends_on: str

    def is_active(self, day: date) -> bool:
        """Whether it holds on a local date."""
        return self.starts_on <= day.isoformat() <= self.ends_on


@dataclass(slots=True)
class Gone:
    """A record that somebody deleted, archived, merged or erased. Nothing may be planned for it ever again."""

    system: str
    kind: str
    """'items' or 'customers'."""
    key: str
    how: str
    night: int
    """The first night that must know."""
    address: str = ""
    """Of a customer who had said something: the address, and what the last night heard."""
    state: str = "none"
    said_at: str = ""
    is_proven: bool = False


@dataclass(slots=True)
class OpenOrder:
    """A web order not yet sent. `lines` are (line number, shelf row, quantity, unit price)."""

    number: int
    customer: str
    created_at: str
    lines: list[list[int]]
    is_pickup: bool = False
    """Collected by the customer at the shop, where the goods are set aside."""
    till: int = -1
    """The till's order that was made for it, if there is one."""
    is_paid: bool = False
    """The till has taken the goods off its count for it already."""
    is_released: bool = False
    """Nobody came in time: what it took is for sale again, and its record still stands open."""


@dataclass(slots=True)
class TillHold:
    """Goods that a shop has set aside for a customer who called; nobody has paid."""

    number: int
    row: int
    quantity: int
    created_at: str
    expires_at: str


@dataclass(slots=True)
class Chronicle:
    """All of it. `night` is the night that the present truth is about."""

    settings: WorldSettings
    night: int = 0
    bad: list[BadRow] = field(default_factory=list)
    promotions: list[Announced] = field(default_factory=list)
    open_orders: list[OpenOrder] = field(default_factory=list)
    holds: list[TillHold] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    """By shelf row: the night before which it was last counted by hand."""
    next_number: dict[str, int] = field(default_factory=dict)
    """By kind: square_order, shopify_order, shopify_line, movement, extra_item, person, and each system's records."""
    effects_seen: int = 0
    """The last effect that the world itself caused."""

    def mint(self, kind: str) -> int:
        """The next free number of a kind."""
        number = self.next_number.get(kind, 0)
        self.next_number[kind] = number + 1
        return number

    @property
    def spoilt(self) -> set[int]:
        """Variants that no drift may be planted on: a row in quarantine hides what else is wrong."""
        return {row.item for row in self.bad if row.item >= 0}

    @property
    def waiting_rows(self) -> list[int]:
        """Shelf rows of all that waits to be collected: nothing else happens there, and nobody deletes such goods."""
        return [line[1] for order in self.open_orders if order.is_pickup for line in order.lines] + [
            hold.row for hold in self.holds
        ]

    def is_gone(self, kind: str) -> set[tuple[str, str]]:
        """(system, key) of the 'items' or 'customers' that are gone."""
        return {(one.system, one.key) for one in self.gone if one.kind == kind}

    def save(self, folder: Path) -> None:
        """Write it under `<folder>/truth`."""
        path = folder / "truth" / "chronicle.json"
        kept, usual = asdict(self), WorldSettings()
        for name in ("webshop", "email", "first_night"):  # the usual cast and season go without saying
            if kept["settings"][name] == getattr(usual, name):
                del kept["settings"][name]
        path.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Chronicle":
        """The inverse of `save`."""
        kept: dict[str, Any] = json.loads((folder / "truth" / "chronicle.json").read_text(encoding="utf-8"))
        bad = [BadRow(**row | {"heard": tuple(row["heard"])}) for row in kept["bad"]]
        kept |= {
            "settings": WorldSettings(**kept["settings"]), "bad": bad,
            "promotions": [Announced(**row) for row in kept["promotions"]],
            "gone": [Gone(**row) for row in kept["gone"]],
            "open_orders": [OpenOrder(**row) for row in kept["open_orders"]],
            "holds": [TillHold(**row) for row in kept["holds"]],
        }
        return cls(**kept)
