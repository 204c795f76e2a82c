"""What is not ready: credentials, scopes, shop ids, clocks and unmapped places of each system. Reads, never writes.

Each finding names the place and the cure. A system that cannot be reached is a finding, not an error: the others are
examined all the same.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pipelines.channels.base import Channel, Window
from pipelines.channels.foreseen import STRANGE, where
from pipelines.errors import ChannelError, CredentialError
from pipelines.estate import Estate
from pipelines.http import Session

CLOCK_WARNING = timedelta(minutes=5)
CLOCK_FAILURE = timedelta(hours=24)
"""R11: decisions stay the same at five minutes; at a day they are flagged."""

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at in one system."""

    system: str
    check: str
    """credential | answers | shop id | scopes | clock | locations | modes; of trueup itself: arming | audit"""
    level: Level
    detail: str
    cure: str = ""


async def examine(channels: Sequence[tuple[Channel, Session]], estate: Estate) -> list[Finding]:
    """All systems at once; findings in the order of the channels."""
    groups = await asyncio.gather(*(_collect(channel, session, estate) for channel, session in channels))
    return [finding for group in groups for finding in group]


async def _collect(channel: Channel, session: Session, estate: Estate) -> list[Finding]:
    async with session:
        try:
            return [finding async for finding in _examine(channel, session, estate)]
        except CredentialError as error:
            cure = f"renew {' and '.join(channel.secrets)}"
            return [Finding(channel.name, "credential", "failure", f"refused: {error.message}", cure)]
        except ChannelError as error:
            cure = f"is {session.base_url} right, and is the system up?"
            return [Finding(channel.name, "credential", "failure", f"no answer: {error.message}", cure)]
        except STRANGE as error:
            cure = f"is {session.base_url} this system's API, in the version that its page here names?"
            words = f"an answer of an unknown shape ({where(error)})"
            return [Finding(channel.name, "answers", "failure", words, cure)]


async def _examine(channel: Channel, session: Session, estate: Estate) -> AsyncIterator[Finding]:
    identity = await channel.identify(session)
    yield Finding(channel.name, "credential", "ok", f"accepted by {identity.name or identity.shop_id}")
    expected = estate.systems[channel.name].shop_id
    if identity.shop_id == expected:
        yield Finding(channel.name, "shop id", "ok", identity.shop_id)
    else:
        cure = f'if this is the right shop, say shop_id = "{identity.shop_id}" under [systems.{channel.name}]'
        yield Finding(channel.name, "shop id", "failure", f"{identity.shop_id}, not {expected}", cure)
    yield _scopes(channel, identity.scopes)
    yield _clock(channel, session)
    async for finding in _locations(channel, session, estate):
        yield finding
    yield _modes(channel, estate)


def _scopes(channel: Channel, granted: frozenset[str]) -> Finding:
    missing = sorted(channel.needed_scopes - granted)
    if missing:
        return Finding(channel.name, "scopes", "failure", f"missing: {', '.join(missing)}", "grant them to the app")
    better = channel.optional_scopes
    if missed := [f"{scope} ({words})" for scope, words in better.items() if words and scope not in granted]:
        cure = "grant them, if you need that"
        return Finding(channel.name, "scopes", "warning", f"not granted: {', '.join(missed)}", cure)
    surplus = sorted(granted - channel.needed_scopes - better.keys())
    if surplus and channel.needed_scopes:
        return Finding(channel.name, "scopes", "warning", f"more than needed: {', '.join(surplus)}", "take them back")
    return Finding(channel.name, "scopes", "ok", f"{len(channel.needed_scopes)} needed, all granted")


def _clock(channel: Channel, session: Session) -> Finding:
    offset = session.clock_offset
    if offset is None:
        return Finding(channel.name, "clock", "warning", "the system does not say its time")
    seconds = round(abs(offset).total_seconds())
    if abs(offset) >= CLOCK_FAILURE:
        return Finding(channel.name, "clock", "failure", f"{seconds} s apart", "set this machine's clock")
    if abs(offset) >= CLOCK_WARNING:
        return Finding(channel.name, "clock", "warning", f"{seconds} s apart", "set this machine's clock")
    return Finding(channel.name, "clock", "ok", f"{seconds} s apart")


async def _locations(channel: Channel, session: Session, estate: Estate) -> AsyncIterator[Finding]:
    endpoint = next((e for e in channel.endpoints if e.name == "locations"), None)
    if endpoint is None:
        return
    window = Window(since=None, until=session.clock.now())
    known = {location.vendor_ids.get(channel.name) for location in estate.locations.values()}
    found = [row.id async for page in endpoint.read(session, window) for row in page.rows]
    unmapped = sorted(set(found) - known)
    if unmapped:
        cure = "map it under [locations.<ours>], or leave it: it is read and reported, never written"
        yield Finding(channel.name, "locations", "warning", f"unmapped: {', '.join(unmapped)}", cure)
    else:
        yield Finding(channel.name, "locations", "ok", f"{len(found)}, all mapped")


def _modes(channel: Channel, estate: Estate) -> Finding:
    modes = {entity: estate.mode_of(channel.name, entity) for entity in sorted({a.entity for a in channel.abilities})}
    return Finding(channel.name, "modes", "ok", ", ".join(f"{entity}: {mode}" for entity, mode in modes.items()))
