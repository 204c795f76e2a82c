"""The other side's hands: what a person does on the vendor's own screens, done through the vendor's own API.

One module a system, `conformance/hands/<system>.py`, exporting `HANDS`; optional. Without it a check that needs them
says "not shown". Hands make persons, since every system that trueup knows has them; what they made they remove, and
nobody's record but their own is ever touched. They use the connector's session for its credentials and its pace, and
none of its readers or writers: those are what is being examined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

import httpx

from conformance.wire import IsWrite, is_write
from pipelines.http import Session


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist, with every field that connectors write. The address is of a reserved domain."""

    number: int
    token: str
    """Of this run, so that two runs never meet in one record."""
    opted_in: bool = True

    @property
    def email(self) -> str:
        """Unlike anybody's."""
        return f"conformance.{self.token}.{self.number}@example.com"

    @property
    def first_name(self) -> str:
        """Given name."""
        return "Camille"

    @property
    def last_name(self) -> str:
        """Family name."""
        return f"Essai {self.number}"

    @property
    def phone(self) -> str:
        """E.164, one a person: some vendors let no two customers share one."""
        return f"+3361{int(self.token[-3:]) % 1000:03d}{self.number % 10_000:04d}"

    street = "1 rue de la Paix"
    city = "Paris"
    postcode = "75002"
    country = "FR"


class Hands(Protocol):
    """One system's hands. Methods raise the ChannelErrors of the session."""

    endpoint: str
    """The raw table in which the persons come."""
    crowd: int
    """So many persons make several pages; with `few`, where `pages_follow`."""
    pages_follow: bool
    """Whether the connector goes on by what a page says, so that smaller pages only make more of them; not where it
    counts offsets by a page of its own."""
    can_opt_in: bool
    """Whether a person is made with a permission that can then be taken away."""

    def few(self, request: httpx.Request) -> httpx.Request:
        """The same call, asking for at most a handful of records a page; unchanged where it asks for no page."""
        ...

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """New records; their ids as the raw table has them, in order."""
        ...

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """Give these records another first name."""
        ...

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """Delete these records; one that is gone already is no error."""
        ...


@runtime_checkable
class KnowsWrites(Protocol):
    """Hands of a system whose writes cannot be told from its reads by method and path (`conformance.wire.is_write`)."""

    def is_write(self, request: httpx.Request) -> bool:
        """Whether a call changes a record; a login does not."""
        ...


@runtime_checkable
class CarriesOut(Protocol):
    """Hands of a system whose writes are requests, of which whatever is asked for is seen as done at once."""

    def carries_out(self) -> bool:
        """Whether somebody stands by who carries them out."""
        ...


def write_test(hands: Hands | None) -> IsWrite:
    """How to tell a write on the wire."""
    return hands.is_write if isinstance(hands, KnowsWrites) else is_write


def hands_of(system: str) -> Hands | None:
    """The hands for a system, if somebody wrote them."""
    name = f"{__name__}.{system}"
    if find_spec(name) is None:
        return None
    found: Hands = import_module(name).HANDS
    return found
