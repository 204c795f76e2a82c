"""Tonight: an open workplace, what was asked of the run, and the night that it has begun. Plain Python, no Dagster.

What a night does, step by step, is `resources.steps`; here is only what the steps share.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast, get_args

import duckdb

from pipelines.arming.armings import Armed, armed
from pipelines.arming.scope import Asked
from pipelines.errors import ConfigurationError, NotDurable
from pipelines.estate import NightKind
from pipelines.ledger.plans import unwritten
from pipelines.night import begin_night, end_night, latest_plan, night_of, policy_of
from resources.workplace import Workplace

log = logging.getLogger("trueup")
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unarmed:
    """Rows of one plan that may go by policy and do not, since nothing arms them."""

    rows: int
    reason: str
    is_all: bool
    """Whether nothing of the plan is armed."""

    @property
    def words(self) -> str:
        """In a sentence, with the cure."""
        return f"{self.rows} rows are planned and not armed, so nothing of them is written: {self.reason}"


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
    rollback_of: str = ""
    """The plan whose rollback is all that this run corrects."""
    stopped: dict[str, str] = field(default_factory=dict)
    """Systems that a push of this run had to leave, and why."""
    unarmed: dict[str, "Unarmed"] = field(default_factory=dict)
    """By plan, what the planner said may go and nothing arms."""
    barred: int = 0
    """Rows that may go by policy and do not, since the ledger is not the youngest (R18)."""
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
        if not (self.systems or self.entities or self.subjects or self.rollback_of):
            return {}
        scope: dict[str, object] = {
            "systems": list(self.systems), "entities": list(self.entities), "keys": len(self.subjects)
        }
        return scope | ({"rollback_of": self.rollback_of} if self.rollback_of else {})

    @property
    def unarmed_summary(self) -> dict[str, object]:
        """What is planned and not armed, for the night's summary."""
        first = next(iter(self.unarmed.values()))
        return {"rows": sum(told.rows for told in self.unarmed.values()), "reason": first.reason}

    def begin(self) -> str:
        """Begin tonight; returns its id."""
        if self.kind not in get_args(NightKind):
            raise ConfigurationError(f"kind is {self.kind!r}; allowed: {', '.join(get_args(NightKind))}")
        place = self.place
        self._begun = self._open_night = begin_night(
            place.con, place.estate, place.policy, place.channels, kind=cast(NightKind, self.kind), clock=place.clock
        )
        place.grow(f"night {self._open_night} begins")
        return self._open_night

    def end(self, status: str, summary: dict[str, object]) -> None:
        """Close tonight in the ledger."""
        end_night(self.place.con, self.night_id, status=status, summary=summary, clock=self.place.clock)
        self._open_night = None

    def of_an_old_ledger(self, status: str) -> str:
        """R18: a whole adopting night, in which nothing but opt-outs went out, makes this ledger the youngest."""
        if not self.place.too_old:
            return status
        if self.kind == "adopt" and self.has_begun and status == "complete" and not (self.dry_run or self.scope):
            self.place.take_as_youngest(f"night {self.night_id} adopted it as it is")
            return status
        return "partial" if status == "complete" else status

    def plan(self, lane: str) -> str:
        """The plan that this run works on: tonight's, the one that was named, or the newest that was no dry run."""
        found = self.plan_id or latest_plan(self.place.con, lane, self._begun)
        if not found:
            raise ConfigurationError(f"there is no {lane} plan yet that is not of a dry run; run `trueup sync`")
        return found

    def armed(self, plan_id: str) -> Armed:
        """What of a plan may be written now: asked of the signed words anew each time, narrowed by what was asked."""
        place, asked = self.place, Asked(frozenset(self.systems), frozenset(self.entities))
        made_under = policy_of(place.con, night_of(place.con, plan_id))
        if made_under != place.policy_hash:
            return Armed((), "policy or estate have changed since this plan was made: plan anew", asked, place.too_old)
        found = armed(
            place.con, place.approvers, policy_hash=place.policy_hash, now=place.clock.now(), asked=asked
        )
        return replace(found, only_opt_outs=place.too_old)

    def abandon(self) -> None:
        """What a run that broke leaves behind: its night marked failed, and a snapshot that says so.

        Where that cannot be written either, the night stays "running": why the run broke is what must be told.
        """
        if (night_id := self._open_night) is None:
            return
        try:
            self.end("failed", {})
            self.place.means.snapshot(self.place.con, self.place.settings.snapshot)
        except (duckdb.Error, OSError) as error:
            log.warning("night %s could not be marked as failed: %s", night_id, error)


def of_a_night(step: "Callable[Concatenate[Tonight, P], T]") -> "Callable[Concatenate[Tonight, P], T]":
    """A step that makes a night's tables or plan: refused where this run has begun none, since that night has ended."""

    work = on_disk(step)

    @wraps(step)
    def guarded(night: Tonight, /, *args: P.args, **named: P.kwargs) -> T:
        if not night.has_begun:
            raise ConfigurationError(
                f"{step.__name__}: a night's tables are not made by themselves; launch the job nightly or sync_now, or "
                "approve_plan and verify_plan for a stored plan"
            )
        return work(night, *args, **named)

    return guarded


def on_disk(step: "Callable[P, T]") -> "Callable[P, T]":
    """A step that says by its name which file could not be written: NotDurable, whichever statement met it (R19)."""

    @wraps(step)
    def told(*args: P.args, **named: P.kwargs) -> T:
        try:
            return step(*args, **named)
        except duckdb.Error as error:
            if words := unwritten(str(error)):
                raise NotDurable(f"{words}; mend it and run again") from error
            raise

    return told
