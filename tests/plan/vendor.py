"""A vendor in a dict: values by place, a log of every effect, and faults to order. For push and verify tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pipelines.channels.base import Ability, Channel, Identity, ReadBack, Writer
from pipelines.errors import (
    AmbiguousWrite,
    ChannelError,
    CredentialError,
    FatalChannelError,
    RejectedCorrection,
    RetriableChannelError,
)
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading
from tests.plan.world import FIELDS, VirtualClock

Place = tuple[str, str, str, str]


class Crash(BaseException):
    """The process died here."""


def place_of(c: Correction) -> Place:
    return c.entity, c.field, c.vendor_id, c.vendor_sub_id


@dataclass(slots=True)
class FakeSession:
    """The parts of a session that push touches."""

    system: str
    clock: VirtualClock


@dataclass
class FakeVendor:
    """`faults` maps the number of a write call (from 1) to a fault's name; `bad` are keys that it refuses."""

    name: str
    clock: VirtualClock
    has_key: bool = True
    has_cas: bool = False
    needs_check: bool = False
    batch_max: int = 100
    max_in_flight: int = 1
    refuses_whole: bool = False
    distort: Callable[[str | None], str | None] = lambda value: value
    """What the vendor makes of a value that it is sent."""
    shop_id: str = ""
    values: dict[Place, str | None] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    effects: list[tuple[Place, str | None]] = field(default_factory=list)
    calls: list[list[str]] = field(default_factory=list)
    reads: int = 0
    is_deaf: bool = False
    """Read-backs fail."""
    stumbles: frozenset[str] = frozenset()
    """Records over which its writer stumbles before anything is sent."""
    is_strange: bool = False
    """Read-backs get an answer that they cannot take apart."""
    lag: int = 0
    """How many read-back calls still see the old values."""
    settles_within: timedelta | None = None
    """Where its writes are requests: how long they may wait."""
    has_left: bool | None = None
    """Where its writes are requests: whether a batch whose answer was lost turns out to have been left."""
    asked: list[tuple[list[str], str]] = field(default_factory=list)
    _keys: dict[str, list[Outcome]] = field(default_factory=dict)
    _old: dict[Place, str | None] = field(default_factory=dict)
    on_call: Callable[[int], None] = lambda number: None
    on_read: Callable[[], None] = lambda: None

    def channel(self) -> Channel:
        """The vendor as a channel that writes and reads back every entity."""
        rungs = tuple(rung for rung, has in ((1, self.has_cas), (2, self.has_key)) if has) or (3,)

        async def identify(session: Any) -> Identity:
            return Identity(self.shop_id or f"shop-{self.name}", self.name)

        return Channel(
            name=self.name, title=self.name, connect=lambda connection: None, identify=identify, endpoints=(),
            writers=tuple(
                Writer(e, frozenset(f), self.batch_max, self.write, needs_check=self.needs_check,
                       max_in_flight=self.max_in_flight, settles_within=self.settles_within,
                       asked=None if self.has_left is None else self.tell)
                for e, f in FIELDS.items()
            ),
            read_backs=tuple(ReadBack(e, 50, self.read) for e in FIELDS),
            abilities=tuple(Ability(e, name, rungs) for e, names in FIELDS.items() for name in names),
            secrets=(),
        )

    def session(self) -> tuple[Channel, Any]:
        """What push gets."""
        return self.channel(), FakeSession(self.name, self.clock)

    async def write(self, session: Any, corrections: Sequence[Correction], key: str) -> list[Outcome]:
        self.calls.append([c.correction_key for c in corrections])
        number = len(self.calls)
        self.on_call(number)
        fault = self.faults.get(number, "")
        if fault in ("crash_before", "lost_before", "retriable", "fatal", "credential"):
            raise {
                "crash_before": Crash(), "lost_before": AmbiguousWrite("reset"), "fatal": FatalChannelError("not JSON"),
                "retriable": RetriableChannelError("503"), "credential": CredentialError("401", status=401),
            }[fault]
        if any(c.vendor_id in self.stumbles for c in corrections):
            raise KeyError("somebody@example.org")
        if self.has_key and key in self._keys:
            return self._keys[key]
        if self.refuses_whole and any(c.correction_key in self.bad for c in corrections):
            raise FatalChannelError("refused", status=400, code="BAD") if number % 2 else RejectedCorrection("refused")
        outcomes = [self._apply(c) for c in corrections]
        self._keys[key] = outcomes
        if fault == "crash_after":
            raise Crash
        if fault == "lost_after":
            raise AmbiguousWrite("time-out")
        if fault == "strange_after":
            raise KeyError("somebody@example.org")
        return outcomes

    def _apply(self, c: Correction) -> Outcome:
        place = place_of(c)
        if c.correction_key in self.bad:
            return Outcome(c.correction_key, OutcomeStatus.REJECTED, "BAD")
        if self.has_cas and self.values.get(place) != c.observed:
            return Outcome(c.correction_key, OutcomeStatus.STALE, "MOVED")
        self._old[place] = self.values.get(place)
        self.values[place] = self.distort(c.desired)
        self.effects.append((place, c.desired))
        return Outcome(c.correction_key, OutcomeStatus.APPLIED)

    async def tell(self, session: Any, corrections: Sequence[Correction], key: str) -> list[Outcome]:
        if self.is_deaf:
            raise ChannelError("down", system=self.name)
        self.asked.append(([c.correction_key for c in corrections], key))
        status, code = (OutcomeStatus.APPLIED, "filed") if self.has_left else (OutcomeStatus.SKIPPED, "not_applied")
        return [Outcome(c.correction_key, status, code) for c in corrections]

    async def read(self, session: Any, corrections: Sequence[Correction]) -> list[Reading]:
        if self.is_deaf:
            raise ChannelError("down", system=self.name)
        if self.is_strange:
            raise KeyError("somebody@example.org")
        self.reads += 1
        self.on_read()
        seen = self.values if self.reads > self.lag else self.values | self._old
        return [
            Reading(self.name, c.entity, c.field, c.vendor_id, c.vendor_sub_id, seen.get(place_of(c)),
                    exists=place_of(c) in seen)
            for c in corrections
        ]
