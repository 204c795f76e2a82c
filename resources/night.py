"""The workplace as a Dagster resource: what the launchpad asks for, and one opening per run.

Steps run in one process, so all of them share the connection, the sessions and the clock. Whatever happens in
between, a night that was begun is closed in the ledger, and the snapshot that `status` and `why` read is swapped in.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from enum import StrEnum
from typing import ClassVar

import dagster as dg
from pydantic import Field, PrivateAttr

from pipelines.channels import CHANNELS
from pipelines.errors import ConfigurationError, SyncError
from pipelines.estate import NightKind
from resources.asked import EndpointName, EntityName, SystemName, words_of
from resources.channels import Settings
from resources.embedded import found_estate
from resources.tonight import Tonight
from resources.whereabouts import Process
from resources.workplace import Workplace, open_workplace

Opener = Callable[[str], AbstractContextManager[Workplace]]
"""Opens a workplace for a named holder."""


def real_workplace(holder: str) -> AbstractContextManager[Workplace]:
    """The workplace that the environment describes; where it names no estate, the sandbox's."""
    return open_workplace(found_estate(Settings.read()), CHANNELS, holder=holder)


HOLDER = "trueup/lease_holder"
"""The tag of a run that says under which name it takes the writing lease."""


def holder_name(kind: str, run_id: str) -> str:
    """As whom a run takes the writing lease."""
    return f"{kind} run {run_id[:8]}"


class NightNotOpened(dg.DagsterError):
    """Why a run could not begin, in one sentence: Dagster shows its own errors as they are and wraps all others."""


@contextmanager
def _opened(opener: Opener, holder: str, context: dg.InitResourceContext) -> Iterator[Workplace]:
    run = context.run.run_id if context.run else "no run"
    if context.run and context.instance:
        # Else nobody could tell later that its process was killed, and it would stay "started" for ever (R6).
        context.instance.add_run_tags(run, {HOLDER: holder_name(holder, run), **Process.here().tags()})
    with ExitStack() as stack:
        try:
            place = stack.enter_context(opener(holder_name(holder, run)))
        except SyncError as error:
            raise NightNotOpened(str(error)) from error
        yield place


def place_resource(opener: Opener = real_workplace) -> dg.ResourceDefinition:
    """The workplace alone, for a run that is no night: the launchpad asks nothing of it."""

    def place(context: dg.InitResourceContext) -> Iterator[Workplace]:
        with _opened(opener, "backfill", context) as found:
            yield found

    return dg.ResourceDefinition(place, config_schema={}, description="The open workplace.")


class NightResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One run's workplace and what was asked of the run."""

    kind: NightKind = Field("nightly", description="What this run is; each job sets its own.")
    dry_run: bool = Field(False, description="Plan and explain; approve nothing, write nothing to any system.")
    systems: list[SystemName] = Field(
        [], description=f"Correct only these of {', '.join(words_of(SystemName))}; empty: all. All are read either way."
    )
    entities: list[EntityName] = Field(
        [], description=f"Correct only these of {', '.join(words_of(EntityName))}; empty: all."
    )
    subjects: list[str] = Field(
        [], description="Correct only these SKUs, GTINs, vendor ids, e-mails or our ids; one that is unknown fails."
    )
    force_census: bool = Field(False, description="Read everything, not only what changed.")
    accept_short: list[EndpointName] = Field(
        [], description='Endpoints whose shrinking a person has explained, e.g. "square.catalog_objects".'
    )
    plan_id: str = Field(
        "", description="For approve_plan and verify_plan; empty: the newest plan that is not of a dry run."
    )

    rollback_of: str = Field(
        "", description="Correct nothing but what rolls back this plan, which a person has ordered (`trueup rollback`)."
    )

    opener: ClassVar[Opener] = staticmethod(real_workplace)
    _tonight: Tonight | None = PrivateAttr(None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["NightResource"]:
        """Open the workplace for the run, close it and whatever the run left open."""
        with _opened(type(self).opener, self.kind, context) as place:
            self._tonight = Tonight(
                place, self.kind, self.dry_run, _words(self.systems), _words(self.entities), self.subjects,
                self.force_census, _words(self.accept_short), self.plan_id, self.rollback_of,
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


def _words(chosen: Sequence[StrEnum]) -> list[str]:
    """As the stages know them: plain text."""
    return [member.value for member in chosen]
