"""What every system must declare: how it is reached, what can be read, what can be written and how safely.

A system is one folder beside this file, exporting one `Channel`. Reads are data (`Endpoint`) over small async
generators; writes are small functions, since vendors differ too much for a table. Nothing here knows a vendor.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pipelines.channels.foreseen import foreseen
from pipelines.errors import AmbiguousWrite, FatalChannelError
from pipelines.http import Chance, Session, middling
from pipelines.model import Correction, Outcome, Reading


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record as the vendor gave it (made by `keys.raw_row`). `payload` is the record's own JSON, as `readable`."""

    id: str
    updated_at: str | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one read, with the total the vendor declared, if it declares one."""

    rows: Sequence[RawRow]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """`since` None: a census (everything). Else a delta: all that changed at or after `since` (UTC).

    Tonight's window ends now, and what changes while it is read is welcome. A closed one is a past slice: what changed
    at or after `until` belongs to a later one, and an endpoint that backfills read leaves it out.
    """

    since: datetime | None
    until: datetime
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One raw table `raw_<system>.<name>`, one row a record, keyed by `id`.

    `read` yields pages until the vendor says there are no more; it raises rather than end early. `has_delta`
    says whether it honours `window.since`; `overlap` is subtracted from the cursor (search lag, equal stamps).
    `census_page` and `delta_page`: the most rows that the vendor gives in one call, 0 where it gives all at once; by
    these the calls made are held against the least possible.
    """

    name: str
    entities: tuple[str, ...]
    read: Callable[[Session, Window], AsyncIterator[Page]]
    has_delta: bool = True
    count: Callable[[Session], Awaitable[int]] | None = None
    """How many records the vendor has now, by its own count, not by search. No delta shows every deletion: one that
    would leave us with more than that is read again as a census, the same night (VENDORS.md, trap 4)."""
    gone: str = ""
    """Where a record's payload says, with a `true`, that it is gone and not counted: a JSON path."""
    overlap: timedelta = timedelta(minutes=5)
    may_be_empty: bool = False
    """Whether a census without rows is believed though the vendor declares no total (a shop without orders)."""
    census_page: int = 0
    delta_page: int = 0

    def least_calls(self, rows: int, kind: str) -> int:
        """The fewest calls that could have read so many rows."""
        page = self.census_page if kind == "census" else self.delta_page
        return max(1, -(-rows // page)) if page else 1


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes corrections of one entity in the vendor's batches.

    `write` gets at most `batch_max` corrections that agree on `group(correction)`, and a key: the same key and
    the same corrections are always sent as the same bytes. It answers one outcome per correction, in order.
    Raises AmbiguousWrite when the answer was lost, CredentialError or FatalChannelError when all stop.
    """

    entity: str
    fields: frozenset[str]
    batch_max: int
    write: Callable[[Session, Sequence[Correction], str], Awaitable[list[Outcome]]]
    group: Callable[[Correction], str] = lambda correction: ""
    needs_check: bool = False
    """True: the vendor has no compare-and-set here; push reads back by id just before (rung 3)."""
    max_in_flight: int = 4
    creates: bool = False
    """Whether it also makes records that are not there yet (`Correction.makes_record`)."""
    raises: bool = False
    """Whether it can also raise a permission that a record denies, over proof; elsewhere a person does, by hand."""
    clears: bool = False
    """Whether it empties a field where a correction says so (`Correction.clears`); else a blank is never written."""
    settles_within: timedelta | None = None
    """Where a write is a request that somebody else carries out later (a file to be imported): how long it may wait.
    Until then what is read back still shows the old value, which is no failure, and it is not asked for again."""
    asked: Callable[[Session, Sequence[Correction], str], Awaitable[list[Outcome]]] | None = None
    """Where a write is a request: what became of a batch whose answer was lost, told by its key and all of its rows;
    reading back cannot tell before it is carried out. It asks for nothing anew. Outcomes and errors as of `write`."""

    def __post_init__(self) -> None:
        """Of a write whose answer cannot be made out nobody knows what became."""
        object.__setattr__(self, "write", foreseen(self.write, AmbiguousWrite))
        object.__setattr__(self, "asked", self.asked and foreseen(self.asked, FatalChannelError))


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Reads the present values of corrections by id (never by search), in batches of `batch_max`."""

    entity: str
    batch_max: int
    read: Callable[[Session, Sequence[Correction]], Awaitable[list[Reading]]]

    def __post_init__(self) -> None:
        """What cannot be made out has not been read."""
        object.__setattr__(self, "read", foreseen(self.read, FatalChannelError))


@dataclass(frozen=True, slots=True)
class Ability:
    """A line of the write-safety ladder: 1 compare-and-set, 2 idempotency key, 3 read-check-write, 4 blind, 0 none."""

    entity: str
    field: str
    rungs: tuple[int, ...]
    note: str = ""


RoundingMode = Literal["half_up", "half_even", "half_down", "up", "down"]
"""As Python's decimal and Java name them."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a system comes to whole minor units where tax is added or something is taken off.

    A price is of one piece, and a line of one piece is a unit: so the mode alone decides which price is right, and
    the level which sums a till of several pieces may show beside it (3 x 41.58 net, and 20 %: by line 149.69).
    """

    mode: RoundingMode = "half_up"
    level: Literal["unit", "line", "order"] = "line"
    note: str = "taken for the usual one: its vendor does not say"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom we are talking to: compared with the estate before every push (R20)."""

    shop_id: str
    name: str
    timezone: str | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Channel:
    """One outside system, declared."""

    name: str
    title: str
    connect: Callable[["Connection"], Session]
    """Builds the session: auth headers, limiter, error model. Opens nothing."""
    identify: Callable[[Session], Awaitable[Identity]]
    endpoints: tuple[Endpoint, ...]
    writers: tuple[Writer, ...]
    read_backs: tuple[ReadBack, ...]
    abilities: tuple[Ability, ...]
    secrets: tuple[str, ...]
    """Names of the environment variables it needs, e.g. ("TRUEUP_SQUARE_TOKEN",)."""
    needed_scopes: frozenset[str] = frozenset()
    optional_scopes: Mapping[str, str] = field(default_factory=dict)
    """Scopes that are not superfluous where they are granted, and what is missed without each; '' where nothing is."""
    schemes: tuple[str, ...] = ("https", "http")
    """What the address of such a system may begin with."""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a system that can be several at once may serve as, and the entities of each: {"pos": ("items", …), …}."""
    rounding: Rounding = Rounding()
    """Its own, where the estate's price list does not say another."""
    bans: frozenset[str] = frozenset()
    """Audiences that stand for all its mail: a no there is a no to each of its others, whatever they are mapped to."""

    def __post_init__(self) -> None:
        """A system that does not say who it is in words that are known is not the one that is meant."""
        object.__setattr__(self, "identify", foreseen(self.identify, FatalChannelError))

    @property
    def entities(self) -> frozenset[str]:
        """What it is read for."""
        return frozenset(entity for endpoint in self.endpoints for entity in endpoint.entities)

    def rungs(self, correction: Correction) -> frozenset[int]:
        """How safely this value can be written."""
        place = (correction.entity, correction.field)
        return frozenset(rung for one in self.abilities if (one.entity, one.field) == place for rung in one.rungs)

    def in_roles(self, roles: Sequence[str]) -> "Channel":
        """The same system, as no more than it serves as; as all that it can be where no role is named.

        KeyError for a role that it does not have.
        """
        if not roles:
            return self
        kept = {entity for role in roles for entity in self.roles[role]}
        narrowed = [(e, tuple(entity for entity in e.entities if entity in kept)) for e in self.endpoints]
        return replace(
            self,
            endpoints=tuple(replace(e, entities=entities) for e, entities in narrowed if entities),
            writers=tuple(writer for writer in self.writers if writer.entity in kept),
            read_backs=tuple(reader for reader in self.read_backs if reader.entity in kept),
            abilities=tuple(ability for ability in self.abilities if ability.entity in kept),
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """What `connect` gets: where, with which secrets and options (from estate.toml), and the injected world."""

    base_url: str
    secrets: dict[str, str]
    options: dict[str, str]
    clock: "object"
    transport: "object | None" = None
    """What carries the calls: an HTTP transport (None: real sockets), or the folder of a system that is one."""
    chance: Chance = middling
    """Spreads the repeats of calls that failed together."""
    folder: Path = Path()
    """Where estate.toml lies: options that name a file do so from there."""
