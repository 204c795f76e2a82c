"""The estate's channels and their sessions: which systems there are, and each reached with its credentials."""

import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pipelines.channels.base import Channel, Connection
from pipelines.clock import Clock
from pipelines.errors import ConfigurationError
from pipelines.estate import Estate, read_estate
from pipelines.http import Chance, Session, middling
from resources.folders import open_folder
from resources.settings import Settings as Settings

Transports = Callable[[str], object | None]
"""What carries the calls to the system of that name; None: real sockets, or the real folder. Tests hand in ASGI apps
and folders in memory."""


def estate_timezone(settings: Settings) -> str:
    """The estate's time zone, for the schedule; Europe/Paris where no estate is named yet."""
    if not settings.environment.get("TRUEUP_ESTATE", "").strip():
        return "Europe/Paris"
    return read_estate(settings.estate).estate.timezone


def channels_of(estate: Estate, channels: Iterable[Channel]) -> list[Channel]:
    """The channels of the estate's systems; ConfigurationError for a system that no channel knows."""
    known = {channel.name: channel for channel in channels}
    if strange := sorted(set(estate.systems) - set(known)):
        raise ConfigurationError(f"no channel for {', '.join(strange)}; there are: {', '.join(sorted(known))}")
    found = [channel for channel in known.values() if channel.name in estate.systems]
    return [_as_asked(channel, estate.systems[channel.name].roles) for channel in found]


def channels_shown(settings: Settings, channels: Iterable[Channel]) -> tuple[Channel, ...]:
    """The estate's channels, for whoever only shows them; all that there are where no estate is named yet."""
    if not settings.environment.get("TRUEUP_ESTATE", "").strip():
        return tuple(channels)
    return tuple(channels_of(read_estate(settings.estate), channels))


def _as_asked(channel: Channel, roles: list[str]) -> Channel:
    if strange := sorted(set(roles) - set(channel.roles)):
        allowed = ", ".join(channel.roles) or "none, it is only one thing"
        raise ConfigurationError(f"systems.{channel.name}.roles: no role {', '.join(strange)}; allowed: {allowed}")
    return channel.in_roles(roles)


def secrets_of(settings: Settings, channel: Channel) -> dict[str, str]:
    """A channel's credentials by name; ConfigurationError naming the one that is missing."""
    return {name: settings.required(name, f"a credential of {channel.title}") for name in channel.secrets}


def wrong_address(channel: Channel, address: str) -> str:
    """What is wrong with the address of a system of this kind; '' where nothing is."""
    if address.partition("://")[0] in channel.schemes:
        return ""
    allowed = ", ".join(f"{scheme}://" for scheme in channel.schemes)
    return f"not an address of {channel.title}; allowed: one that begins with {allowed}"


def connection_to(
    settings: Settings,
    channel: Channel,
    address: str,
    *,
    options: Mapping[str, str],
    folder: Path,
    clock: Clock,
    transport: object | None = None,
    chance: Chance = random.random,
) -> Connection:
    """How one system is reached: at this address, with its credentials; its folder is opened where it is one.

    `folder`: from where options name files. ConfigurationError for an address of another kind of system, and for a
    credential that is missing.
    """
    if wrong := wrong_address(channel, address):
        raise ConfigurationError(f"{channel.name}: {wrong}")
    if transport is None and not is_http(address):
        transport = open_folder(address, settings.environment)
    secrets = secrets_of(settings, channel)
    return Connection(address, secrets, dict(options), clock, transport, chance, folder)


def is_http(address: str) -> bool:
    """Whether what is at this address is asked over HTTP; else it is a folder."""
    return address.startswith(("https://", "http://"))


def connect(
    settings: Settings,
    estate: Estate,
    channels: Iterable[Channel],
    *,
    clock: Clock,
    transports: Transports | None = None,
) -> list[tuple[Channel, Session]]:
    """A session for each channel; opens no connection yet. A missing credential stops with its name."""
    found = []
    for channel in channels:
        connection = connection_to(
            settings, channel, settings.base_url(estate, channel.name), options=estate.systems[channel.name].options,
            folder=settings.estate.parent, clock=clock, transport=transports(channel.name) if transports else None,
            chance=random.random if transports is None else middling,
        )
        found.append((channel, channel.connect(connection)))
    return found
