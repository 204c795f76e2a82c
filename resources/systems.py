"""The systems of an estate as channels, and whether they can be what the estate makes of them.

Imports nothing that is slow: `trueup doctor` asks the same as a run does when it begins.
"""

from collections.abc import Iterable

from pipelines.channels.base import Channel
from pipelines.configuration import TomlFile, suggestion
from pipelines.estate import Estate
from resources.channels import channels_of, wrong_address


def known_channels(file: TomlFile, estate: Estate, channels: Iterable[Channel]) -> list[Channel]:
    """The estate's channels; ConfigurationError, with the line, for what would stop a run or make it wrong."""
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
