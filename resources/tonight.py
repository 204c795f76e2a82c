"""Tonight: an open workplace, what was asked of the run, and the night that it has begun. Plain Python, no Dagster.

What a night does, step by step, is `resources.steps`; here is only what the steps share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast, get_args

from pipelines.errors import ConfigurationError
from pipelines.estate import NightKind
from pipelines.ledger.export import swap_snapshot
from pipelines.night import begin_night, end_night, latest_plan, night_of
from resources.workplace import Workplace

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Tonight:
    """One run's workplace and what was asked of the run; the words are those of Dagster's launchpad (`night`)."""

    place: Workplace
    kind: str = "nightly"
    dry_run: bool = False
    systems: Sequence[str] = ()
    entities: Sequence[str] = ()
    subjects: Sequence[str] = ()
    force_census: bool = False
    accept_short: Sequence[str] = ()
    plan_id: str = ""
    stopped: dict[str, str] = field(default_factory=dict)
    """Systems that a push of this run had to leave, and why."""
    _open_night: str | None = None
    _begun: str | None = None

    @property
    def night_id(self) -> str:
        """The night that this run is about: the one it has begun, else that of the plan it works on."""
        return self._begun or night_of(self.place.con, self.plan("main"))

    @property
    def has_begun(self) -> bool:
        """Whether this run is a night, not a later word on an earlier one's plan."""
        return self._begun is not None

    @property
    def scope(self) -> dict[str, object]:
        """What the run was narrowed to; empty for a whole night. Keys may be addresses: they are only counted."""
        if not (self.systems or self.entities or self.subjects):
            return {}
        return {"systems": list(self.systems), "entities": list(self.entities), "keys": len(self.subjects)}

    def begin(self) -> str:
        """Begin tonight; returns its id."""
        if self.kind not in get_args(NightKind):
            raise ConfigurationError(f"kind is {self.kind!r}; allowed: {', '.join(get_args(NightKind))}")
        place = self.place
        self._begun = self._open_night = begin_night(
            place.con, place.estate, place.policy, place.channels, kind=cast(NightKind, self.kind), clock=place.clock
        )
        return self._open_night

    def end(self, status: str, summary: dict[str, object]) -> None:
        """Close tonight in the ledger."""
        end_night(self.place.con, self.night_id, status=status, summary=summary, clock=self.place.clock)
        self._open_night = None

    def plan(self, lane: str) -> str:
        """The plan that this run works on: tonight's, the one that was named, or the newest that was no dry run."""
        found = self.plan_id or latest_plan(self.place.con, lane, self._begun)
        if not found:
            raise ConfigurationError(f"there is no {lane} plan yet that is not of a dry run; run `trueup sync`")
        return found

    def abandon(self) -> None:
        """What a run that broke leaves behind: its night marked failed, and a snapshot that says so."""
        if self._open_night is not None:
            self.end("failed", {})
            swap_snapshot(self.place.con, self.place.settings.snapshot)


def of_a_night(step: "Callable[Concatenate[Tonight, P], T]") -> "Callable[Concatenate[Tonight, P], T]":
    """A step that makes a night's tables or plan: refused where this run has begun none, since that night has ended."""

    @wraps(step)
    def guarded(night: Tonight, /, *args: P.args, **named: P.kwargs) -> T:
        if not night.has_begun:
            raise ConfigurationError(
                f"{step.__name__}: a night's tables are not made by themselves; launch the job nightly or sync_now, or "
                "approve_plan and verify_plan for a stored plan"
            )
        return step(night, *args, **named)

    return guarded
