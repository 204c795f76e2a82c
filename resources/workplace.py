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

from pipelines.channels.base import Channel
from pipelines.clock import Clock
from pipelines.configuration import read_file
from pipelines.estate import Estate, estate_of
from pipelines.http import Session
from pipelines.ledger.lease import Lease, acquire
from pipelines.policy import Policy, read_policy
from resources.channels import Settings, Transports, connect, secrets_of
from resources.clock import SystemClock, clock_of_systems
from resources.systems import known_channels
from resources.warehouse import open_warehouse

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
    transports: Transports | None = None
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _sessions: list[tuple[Channel, Session]] = field(default_factory=list)

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
) -> Iterator[Workplace]:
    """Open everything for one run. Raises ConfigurationError for what is missing, LeaseHeld if another run writes."""
    file = read_file(settings.estate)
    estate = estate_of(file)
    policy = read_policy(settings.policy, estate, estate_file=file)
    known = known_channels(file, estate, channels)
    time = clock or _clock(settings, estate)
    # The lease goes by the machine's time: its holders share a machine, not an estate's clock.
    with (
        acquire(settings.warehouse / "lease.json", holder=holder, clock=SystemClock()) as lease,
        open_warehouse(
            settings.warehouse, contact_key=settings.contact_key, threads=settings.threads, systems=estate.systems
        ) as con,
    ):
        place = Workplace(settings, estate, policy, known, time, con, lease, transports)
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
    _ = settings.contact_key, settings.threads


def _clock(settings: Settings, estate: Estate) -> Clock:
    if estate.estate.clock == "systems":
        return clock_of_systems([settings.base_url(estate, system) for system in estate.systems])
    return SystemClock()
