"""All that a run works with, opened together and closed together: estate, policy, clock, lease, warehouse, sessions.

One event loop lives as long as the workplace: sessions, their connections and their limiters belong to it, so that
push knows what extract has already spent of a vendor's rate limit.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from pipelines.arming.content import document, hash_of
from pipelines.arming.signing import Approvers
from pipelines.channels.base import Channel
from pipelines.clock import Clock
from pipelines.configuration import read_file
from pipelines.estate import Estate, estate_of
from pipelines.http import Session
from pipelines.ledger.generation import FILE, age_fault, grow
from pipelines.ledger.lease import Lease, acquire
from pipelines.policy import Policy, read_policy
from resources.channels import Settings, Transports, connect, secrets_of
from resources.clock import SystemClock, clock_of_systems
from resources.means import USUAL, Means
from resources.signers import approvers_of
from resources.systems import known_channels

Result = TypeVar("Result")


@dataclass(slots=True)
class Workplace:
    """What stages are handed."""

    settings: Settings
    estate: Estate
    policy: Policy
    channels: list[Channel]
    clock: Clock
    con: duckdb.DuckDBPyConnection
    lease: Lease
    approvers: Approvers
    """Whose signed words count."""
    transports: Transports | None = None
    means: Means = USUAL
    too_old: str = ""
    """Why this ledger is not the youngest (R18), with the cure; '' where it is."""
    _runner: asyncio.Runner = field(init=False)
    _sessions: list[tuple[Channel, Session]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=self.means.loop)

    @property
    def policy_hash(self) -> str:
        """Which policy and estate an arming has to be of to count here."""
        return hash_of(document(self.policy, self.estate))

    @property
    def generation(self) -> Path:
        """The file that knows how far the ledger has come."""
        return self.settings.warehouse / FILE

    def grow(self, reason: str) -> None:
        """The ledger comes one step further; one that is not the youngest stays what it is."""
        if not self.too_old:
            grow(self.con, self.generation, reason=reason, clock=self.clock)

    def take_as_youngest(self, reason: str) -> None:
        """A person's word that there is no younger ledger: from here on this one is."""
        self.too_old = ""
        self.grow(reason)

    @property
    def scratch(self) -> Path:
        """Folder inside the warehouse for files that live for one stage; DuckDB may read and write there."""
        return self.settings.warehouse / "scratch"

    @property
    def sessions(self) -> list[tuple[Channel, Session]]:
        """One session per system, made at first use."""
        if not self._sessions:
            self._sessions = connect(
                self.settings, self.estate, self.channels, clock=self.clock, transports=self.transports
            )
            for _, session in self._sessions:
                session.fence = self.lease.check
        return self._sessions

    @property
    def sessions_by_name(self) -> dict[str, tuple[Channel, Session]]:
        """The same, by the system's name."""
        return {channel.name: (channel, session) for channel, session in self.sessions}

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run asynchronous work on the loop to which the sessions belong."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close sessions and loop; the connection is the opener's."""

        async def close_all() -> None:
            for _, session in self._sessions:
                await session.__aexit__(None, None, None)

        try:
            if self._sessions:
                self._runner.run(close_all())
        finally:
            self._runner.close()


@contextmanager
def open_workplace(
    settings: Settings,
    channels: Iterable[Channel],
    *,
    holder: str,
    clock: Clock | None = None,
    transports: Transports | None = None,
    means: Means = USUAL,
) -> Iterator[Workplace]:
    """Open everything for one run. Raises ConfigurationError for what is missing, LeaseHeld if another run writes."""
    file = read_file(settings.estate)
    estate = estate_of(file)
    policy = read_policy(settings.policy, estate, estate_file=file)
    known = known_channels(file, estate, channels)
    approvers = approvers_of(settings, estate)
    time = clock or _clock(settings, estate)
    with (
        acquire(settings.warehouse / "lease.json", holder=holder, clock=means.lease_clock) as lease,
        means.warehouse(
            settings.warehouse, contact_key=settings.contact_key, threads=settings.threads, systems=estate.systems
        ) as con,
    ):
        too_old = age_fault(con, settings.warehouse / FILE)
        place = Workplace(settings, estate, policy, known, time, con, lease, approvers, transports, means, too_old)
        try:
            yield place
        finally:
            place.close()


def check_settings(settings: Settings, channels: Iterable[Channel]) -> None:
    """ConfigurationError for whatever would stop a run before it has read anything; opens nothing, asks nobody."""
    file = read_file(settings.estate)
    estate = estate_of(file)
    read_policy(settings.policy, estate, estate_file=file)
    for channel in known_channels(file, estate, channels):
        secrets_of(settings, channel)
    approvers_of(settings, estate)
    _ = settings.contact_key, settings.threads


def _clock(settings: Settings, estate: Estate) -> Clock:
    if estate.estate.clock == "systems":
        return clock_of_systems([settings.base_url(estate, system) for system in estate.systems])
    return SystemClock()
