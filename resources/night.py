"""The workplace as a Dagster resource: what the launchpad asks for, and one opening per run.

Steps run in one process, so all of them share the connection, the sessions and the clock. Whatever happens in
between, a night that was begun is closed in the ledger, and the snapshot that `status` and `why` read is swapped in.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, cast, get_args

import dagster as dg
from pydantic import Field, PrivateAttr

from pipelines.errors import ConfigurationError
from pipelines.estate import NightKind
from pipelines.ledger.export import swap_snapshot
from pipelines.night import begin_night, current_night, end_night, latest_plan
from resources.channels import Settings
from resources.workplace import Workplace, open_workplace

Opener = Callable[[str], AbstractContextManager[Workplace]]
"""Opens a workplace for a named holder."""


def real_workplace(holder: str) -> AbstractContextManager[Workplace]:
    """The workplace that the environment describes."""
    from pipelines.channels import CHANNELS

    return open_workplace(Settings.read(), CHANNELS, holder=holder)


class NightResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One run's workplace and what was asked of the run."""

    kind: str = Field("nightly", description="adopt (the first night), nightly, sync_now or backfill.")
    dry_run: bool = Field(False, description="Plan and explain; approve nothing, write nothing to any system.")
    systems: list[str] = Field([], description="Correct only these systems; empty: all. All are read either way.")
    entities: list[str] = Field([], description="Correct only items, prices, stock, customers, consents; empty: all.")
    subjects: list[str] = Field([], description="Correct only these SKUs, GTINs, vendor ids, e-mails or our ids.")
    force_census: bool = Field(False, description="Read everything, not only what changed.")
    accept_short: list[str] = Field([], description='Endpoints whose shrinking is explained, e.g. "square.catalog".')
    plan_id: str = Field("", description="For approve_plan and verify_plan; empty: the newest plan.")

    opener: ClassVar[Opener] = staticmethod(real_workplace)
    _place: Workplace | None = PrivateAttr(None)
    _open_night: str | None = PrivateAttr(None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["NightResource"]:
        """Open the workplace for the run, close it and whatever the run left open."""
        run = context.run_id or "no run"
        with type(self).opener(f"{self.kind} run {run[:8]}") as place:
            self._place = place
            try:
                yield self
            finally:
                self._abandon()
                self._place = None

    @property
    def place(self) -> Workplace:
        """The open workplace."""
        if self._place is None:
            raise ConfigurationError("the night is not open outside a run")
        return self._place

    @property
    def night_id(self) -> str:
        """The night in the warehouse: tonight's, once begun."""
        return current_night(self.place.con)

    def begin(self) -> str:
        """Begin tonight; returns its id."""
        if self.kind not in get_args(NightKind):
            raise ConfigurationError(f"kind is {self.kind!r}; allowed: {', '.join(get_args(NightKind))}")
        place = self.place
        self._open_night = begin_night(
            place.con, place.estate, place.policy, place.channels, kind=cast(NightKind, self.kind), clock=place.clock
        )
        return self._open_night

    def end(self, status: str, summary: dict[str, object]) -> None:
        """Close tonight in the ledger."""
        end_night(self.place.con, self.night_id, status=status, summary=summary, clock=self.place.clock)
        self._open_night = None

    def plan(self, lane: str) -> str:
        """The plan that this run works on."""
        found = self.plan_id or latest_plan(self.place.con, lane, self._open_night)
        if not found:
            raise ConfigurationError(f"there is no {lane} plan yet; run `trueup plan`")
        return found

    def _abandon(self) -> None:
        """What a run that broke leaves behind: its night marked failed, and a snapshot that says so."""
        if self._open_night is not None:
            self.end("failed", {})
            swap_snapshot(self.place.con, self.place.settings.snapshot)
