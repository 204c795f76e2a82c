"""The workplace as a Dagster resource: what the launchpad asks for, and one opening per run.

Steps run in one process, so all of them share the connection, the sessions and the clock. Whatever happens in
between, a night that was begun is closed in the ledger, and the snapshot that `status` and `why` read is swapped in.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar

import dagster as dg
from pydantic import Field, PrivateAttr

from pipelines.errors import ConfigurationError
from resources.channels import Settings
from resources.tonight import Tonight
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
    _tonight: Tonight | None = PrivateAttr(None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["NightResource"]:
        """Open the workplace for the run, close it and whatever the run left open."""
        run = context.run.run_id if context.run else "no run"
        with type(self).opener(f"{self.kind} run {run[:8]}") as place:
            self._tonight = Tonight(
                place, self.kind, self.dry_run, self.systems, self.entities, self.subjects, self.force_census,
                self.accept_short, self.plan_id,
            )
            try:
                yield self
            finally:
                self._tonight.abandon()
                self._tonight = None

    @property
    def tonight(self) -> Tonight:
        """What the steps of the night are handed (`resources.steps`)."""
        if self._tonight is None:
            raise ConfigurationError("the night is not open outside a run")
        return self._tonight

    @property
    def place(self) -> Workplace:
        """The open workplace."""
        return self.tonight.place
