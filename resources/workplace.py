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
from pipelines.configuration import TomlFile, read_file, suggestion
from pipelines.estate import Estate, estate_of
from pipelines.http import Session
from pipelines.ledger.lease import Lease, acquire
from pipelines.policy import Policy, read_policy
from resources.channels import Settings, Transports, channels_of, connect, secrets_of, wrong_address
from resources.clock import SystemClock, clock_of_systems
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
    known = _channels(file, estate, channels)
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
    for channel in _channels(file, estate, channels):
        secrets_of(settings, channel)
    _ = settings.contact_key, settings.threads


def _channels(file: TomlFile, estate: Estate, channels: Iterable[Channel]) -> list[Channel]:
    """The estate's channels; a system that is none is told with its line."""
    known = list(channels)
    names = sorted(channel.name for channel in known)
    for system in estate.systems:
        if system not in names:
            words = f"there is no such system{suggestion(system, names)}; allowed: {', '.join(names)}"
            raise file.error(("systems", system), words)
    found = channels_of(estate, known)
    for channel in found:
        if wrong := wrong_address(channel, estate.systems[channel.name].base_url):
            raise file.error(("systems", channel.name, "base_url"), wrong)
    _check_authorities(file, estate, found)
    _check_bans(file, estate, found)
    return found


def _check_authorities(file: TomlFile, estate: Estate, channels: Iterable[Channel]) -> None:
    """Who counts at a place must be read for its counts, or no level there would ever be known."""
    counting = [channel.name for channel in channels if "stock" in channel.entities]
    for ours, location in estate.locations.items():
        if location.authority not in counting:
            words = f"{location.authority} is not read for stock here; allowed: {', '.join(counting) or 'no system is'}"
            raise file.error(("locations", ours, "authority"), words)


def _check_bans(file: TomlFile, estate: Estate, channels: Iterable[Channel]) -> None:
    """A no to one purpose, written as a ban on all mail, would be read as the person's own no to every other."""
    for channel in channels:
        mapped = {ours: each.ids_in(channel.name) for ours, each in estate.audiences.items()}
        purposes = [ours for ours, ids in mapped.items() if ids]
        for ours in purposes:
            bans = [one for one in mapped[ours] if one in channel.bans]
            others = [other for other in purposes if other != ours]
            if bans and others:
                words = (
                    f"{bans[0]!r} forbids all mail of {channel.name}: a no to {ours} would be a no to "
                    f"{', '.join(others)} too; leave it out, or map all of {channel.name} to one purpose"
                )
                raise file.error(("audiences", ours, "vendor_ids", channel.name), words)


def _clock(settings: Settings, estate: Estate) -> Clock:
    if estate.estate.clock == "systems":
        return clock_of_systems([settings.base_url(estate, system) for system in estate.systems])
    return SystemClock()
