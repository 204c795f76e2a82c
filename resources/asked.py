"""What a run may be asked to narrow itself to, as closed sets: another word is refused before anything starts.

Taken from the channels and the estate, so a new system is known here by itself. The command line asks `words_of`; the
launchpad shows the types.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, get_args

from pipelines.channels import CHANNELS
from pipelines.estate import Writable

if TYPE_CHECKING:

    class SystemName(StrEnum):
        """A system that some channel reads."""

    class EntityName(StrEnum):
        """An entity that can be corrected."""

    class EndpointName(StrEnum):
        """One list of one system, as `system.endpoint`."""

else:
    SystemName = StrEnum("SystemName", {channel.name: channel.name for channel in CHANNELS})
    EntityName = StrEnum("EntityName", {name: name for name in get_args(Writable)})
    EndpointName = StrEnum(
        "EndpointName", {name: name for name in (f"{c.name}.{e.name}" for c in CHANNELS for e in c.endpoints)}
    )


def words_of(kind: type[StrEnum]) -> list[str]:
    """The words of a closed set."""
    return [member.value for member in kind]
