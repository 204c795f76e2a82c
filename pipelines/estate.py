"""The estate: which systems a retailer has, what may be written there, and how their places map to ours.

`estate.toml` is the user's file. This module says what may stand in it, compiles it to `estate.*` (and the pilots to
`policy.*`), and hands out the connection facts. What is not mapped there is read and reported, never written.

    [estate]
    name = "maison"
    timezone = "Europe/Paris"

    [systems.shopify]
    base_url = "https://maison.myshopify.com"
    shop_id = "gid://shopify/Shop/1"                # compared with the shop's own word before every push (R20)
    options = { plan = "plus" }                     # handed to the connector
    # roles = ["crm"]                               # of a system that can be several: what it serves as here
    mode = { prices = "live", stock = "pilot" }     # observe | pilot | live; observe where nothing is said
    pilot = { stock = ["SKU-0001"] }                # the scope of a pilot: SKUs, or our own ids

    [locations.geneva]
    authority = "square"                            # whose count is the truth here
    safety_stock = 1
    hold_hours = 72                                 # after which goods set aside for collection are for sale again
    vendor_ids = { square = "LGVA", shopify = "gid://shopify/Location/90000001" }

    [[safety_stock]]                                # instead of the places' own, for a category
    category = "Robes"
    # location = "geneva"                           # every place where nothing is said; the most specific rule wins
    units = 2

    [[buffers]]                                     # kept back from one system alone, after all that golden keeps back
    system = "shopify"
    # category, location                            # narrow it down; the most specific rule wins (estate_stock.py)
    units = 1

    [price_lists.eur]
    currency = "EUR"
    tax_basis = "gross"
    vendor_ids = { square = "base", shopify = "base", hubspot = { id = "price", tax_basis = "net" } }
                                                    # rounding = "half_even": where it is not as the connector declares

    [audiences.newsletter]
    channel = "email"
    vendor_ids = { mailchimp = "a1b2c3d4e5", hubspot = ["1001"], shopify = "email", square = "email" }

    [approvers.ana]                                 # whose signed word counts; `trueup keygen` makes the key
    public_key = "ed25519:6f…"
    may_arm = true                                  # may arm what policy approves; else she answers held rows alone

    [policy]                                        # anything of policy.toml, laid over it
    adopt = { never_agreed = "approve" }
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from pipelines.arming.keys import public_from
from pipelines.configuration import Section, TomlFile, parse, read_file, suggestion
from pipelines.currencies import DIGITS
from pipelines.estate_stock import Buffer, SafetyStock, buffer_rows, check_stock_rules, safety_rows
from pipelines.model import POLICY
from pipelines.tables import create_tables, fill_table

if TYPE_CHECKING:  # doctor reads an estate, and opens no table
    import duckdb

Mode = Literal["observe", "pilot", "live"]
TaxBasis = Literal["gross", "net"]
RoundingMode = Literal["half_up", "half_even", "half_down", "up", "down"]
NightKind = Literal["adopt", "nightly", "sync_now"]
Timekeeper = Literal["machine", "systems"]
Writable = Literal["items", "prices", "stock", "customers", "consents"]
_BY_SKU = ("items", "prices", "stock")


class Shop(Section):
    """The `[estate]` table."""

    name: str = Field(min_length=1, description="Part of every correction's identity: never change it.")
    timezone: str = Field(description="IANA name; promotions and the night's date are judged here.")
    clock: Timekeeper = Field(default="machine", description="Whose time it is; a sandbox lives at its systems'.")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        return _known_timezone(value)


class System(Section):
    """One `[systems.<name>]`."""

    base_url: str = Field(
        pattern=r"^[a-z][a-z0-9]*://[^\s]+$",
        json_schema_extra={"allowed": "an address that begins with https:// or http://, or file:/// for files"},
        description="Where the API is, or the folder of the drops; credentials are never here.",
    )
    shop_id: str = Field(description="The shop's id as its API says it; another id stops the push.")
    timezone: str | None = Field(default=None, description="IANA name; the estate's where nothing is said.")
    options: dict[str, str] = Field(default_factory=dict, description="Facts the connector asks for.")
    roles: list[str] = Field(default_factory=list, description="What it serves as; all that it can where not said.")
    mode: dict[Writable, Mode] = Field(default_factory=dict, description="Per entity; observe where nothing is said.")
    pilot: dict[Writable, list[str]] = Field(default_factory=dict, description="SKUs or our ids, for mode pilot.")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        return None if value is None else _known_timezone(value)


class Location(Section):
    """One `[locations.<our id>]`."""

    vendor_ids: dict[str, str]
    authority: str = Field(description="The system whose on_hand is the truth at this location.")
    safety_stock: int = Field(default=0, ge=0, description="Units kept back from `available`.")
    hold_hours: int | None = Field(default=None, gt=0, description="Hours until a hold is over; never if unsaid.")


class ListAt(Section):
    """A price list in one system, where its basis differs from the list's own, or its rounding from the system's."""

    id: str
    tax_basis: TaxBasis | None = None
    rounding: RoundingMode | None = Field(default=None, description="How it rounds there; as the connector declares.")


class PriceList(Section):
    """One `[price_lists.<our id>]`."""

    currency: str
    tax_basis: TaxBasis = "gross"
    vendor_ids: dict[str, str | ListAt]

    @field_validator("currency")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in DIGITS:
            raise ValueError("not a currency; allowed: a code of ISO 4217, as EUR")
        return value


class Audience(Section):
    """One `[audiences.<our purpose>]`: what a permission is given for."""

    channel: Literal["email"] = "email"
    vendor_ids: dict[str, str | list[str]]

    def ids_in(self, system: str) -> list[str]:
        """The audiences of a system that are mapped to this purpose."""
        ids = self.vendor_ids.get(system, [])
        return [ids] if isinstance(ids, str) else ids


class Approver(Section):
    """One `[approvers.<name>]`: a person whose signed words count."""

    public_key: str = Field(description="As `trueup keygen` prints it; the private key stays with the person.")
    may_arm: bool = Field(default=False, description="Also arms what policy approves; else answers held rows alone.")

    @field_validator("public_key")
    @classmethod
    def _is_key(cls, value: str) -> str:
        public_from(value)
        return value


class Estate(Section):
    """All of `estate.toml`."""

    estate: Shop
    systems: dict[str, System] = Field(min_length=1)
    locations: dict[str, Location] = Field(default_factory=dict)
    safety_stock: list[SafetyStock] = Field(default_factory=list)
    buffers: list[Buffer] = Field(default_factory=list)
    price_lists: dict[str, PriceList] = Field(default_factory=dict)
    audiences: dict[str, Audience] = Field(default_factory=dict)
    approvers: dict[str, Approver] = Field(default_factory=dict)
    policy: dict[str, Any] = Field(default_factory=dict, description="Laid over policy.toml; see there.")

    def timezone_of(self, system: str) -> str:
        """The system's own time zone, or the estate's."""
        return self.systems[system].timezone or self.estate.timezone

    def mode_of(self, system: str, entity: str) -> str:
        """observe | pilot | live."""
        modes: dict[str, str] = {str(name): mode for name, mode in self.systems[system].mode.items()}
        return modes.get(entity, "observe")


def read_estate(path: Path) -> Estate:
    """Read and check the file; ConfigurationError names line, key and allowed values of all that is wrong."""
    return estate_of(read_file(path))


def estate_of(file: TomlFile) -> Estate:
    """Check a file already read."""
    estate = parse(file, Estate)
    known = sorted(estate.systems)
    seen: dict[tuple[str, str, str], str] = {}
    for kind, ours, system, vendor_id in _mapped(estate):
        path = (kind, ours, "vendor_ids", system)
        if system not in estate.systems:
            raise file.error(path, f"no such system{suggestion(system, known)}; allowed: {', '.join(known)}")
        other = seen.setdefault((kind, system, vendor_id), ours)
        if other != ours:
            raise file.error(path, f"{vendor_id!r} of {system} is already mapped to {other!r}")
    for ours, location in estate.locations.items():
        if location.authority not in location.vendor_ids:
            message = f"{location.authority!r} is not mapped here; allowed: {', '.join(sorted(location.vendor_ids))}"
            raise file.error(("locations", ours, "authority"), message)
    named: dict[str, str] = {}
    for name, approver in estate.approvers.items():
        if name.strip().casefold() == POLICY:
            raise file.error(("approvers", name), "this is the name under which the policy approves; choose another")
        if (other := named.setdefault(approver.public_key, name)) != name:
            raise file.error(("approvers", name, "public_key"), f"this is already the key of {other!r}")
    check_stock_rules(file, known, estate.locations, estate.safety_stock, estate.buffers)
    return estate


def compile_estate(con: "duckdb.DuckDBPyConnection", estate: Estate) -> None:
    """Fill `estate.*` but for the night, and the pilots' scopes in `policy.*`."""
    create_tables(con)
    shops = [(name, system.shop_id, estate.timezone_of(name)) for name, system in estate.systems.items()]
    fill_table(con, "estate.systems", shops)
    mapped = list(_mapped(estate))
    fill_table(con, "estate.locations", [(s, vendor, ours) for kind, ours, s, vendor in mapped if kind == "locations"])
    fill_table(con, "estate.price_lists", list(_price_lists(estate)))
    fill_table(
        con, "estate.audiences",
        [(s, vendor, estate.audiences[ours].channel, ours) for kind, ours, s, vendor in mapped if kind == "audiences"],
    )
    rules = [(ours, location.authority, location.safety_stock) for ours, location in estate.locations.items()]
    fill_table(con, "estate.stock_rules", rules)
    fill_table(con, "estate.safety_rules", list(safety_rows(estate.locations, estate.safety_stock)))
    fill_table(con, "estate.buffers", list(buffer_rows(estate.locations, estate.buffers)))
    limits = [(ours, place.hold_hours) for ours, place in estate.locations.items() if place.hold_hours is not None]
    fill_table(con, "estate.hold_limits", limits)
    scopes = [
        (name, str(entity), word)
        for name, system in estate.systems.items()
        for entity, words in system.pilot.items()
        for word in words
    ]
    fill_table(con, "policy.pilots", scopes)
    fill_table(con, "policy.pilot_skus", [scope for scope in scopes if scope[1] in _BY_SKU])


def start_night(
    con: "duckdb.DuckDBPyConnection", estate: Estate, *, night_id: str, as_of: datetime, kind: NightKind
) -> None:
    """Set the one row of `estate.night`: the only "now" that reconcile and the planner know."""
    create_tables(con)
    fill_table(con, "estate.night", [(night_id, estate.estate.name, as_of, estate.estate.timezone, kind)])


def _mapped(estate: Estate) -> Iterator[tuple[str, str, str, str]]:
    """(kind, our id, system, vendor id) of everything that is mapped."""
    for ours, location in estate.locations.items():
        for system, vendor_id in location.vendor_ids.items():
            yield "locations", ours, system, vendor_id
    for ours, price_list in estate.price_lists.items():
        for system, entry in price_list.vendor_ids.items():
            yield "price_lists", ours, system, entry if isinstance(entry, str) else entry.id
    for ours, audience in estate.audiences.items():
        for system in audience.vendor_ids:
            for vendor_id in audience.ids_in(system):
                yield "audiences", ours, system, vendor_id


def _price_lists(estate: Estate) -> Iterator[tuple[str, str, str, str, str]]:
    for ours, price_list in estate.price_lists.items():
        for system, entry in price_list.vendor_ids.items():
            vendor_id, basis = (entry, None) if isinstance(entry, str) else (entry.id, entry.tax_basis)
            yield system, vendor_id, ours, price_list.currency, basis or price_list.tax_basis


def _known_timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"not a time zone{suggestion(value, sorted(available_timezones()))}")
    return ZoneInfo(value).key
