"""Reads endpoints as extract does, page by page and judged by the same judge, and keeps the rows at hand.

Holds no table: `bench` loads what is to be staged. A reader's own errors become the words of a read that is not
believed, as in extract; what to make of that is the check's affair.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from pipelines.channels.base import Endpoint, RawRow, Window
from pipelines.channels.keys import is_usable, moment_of
from pipelines.errors import ChannelError
from pipelines.extract_judge import OFF_TOTAL, Seen, judge
from pipelines.http import Session
from pipelines.model import ReadVerdict

GRAIN = timedelta(seconds=2)
"""Vendors' stamps are whole seconds, and bounds that leave equal stamps out are asked for one second earlier."""


@dataclass(slots=True)
class Read:
    """One read of one endpoint. `reason` says why it is not believed; '' where it is."""

    endpoint: Endpoint
    rows: list[RawRow] = field(default_factory=list)
    page_sizes: list[int] = field(default_factory=list)
    reason: str = ""

    @property
    def is_believed(self) -> bool:
        """Whether extract would load it."""
        return not self.reason

    @property
    def is_off_total(self) -> bool:
        """Whether it came to its end, and the judge refused it for the total that the vendor declares."""
        return OFF_TOTAL in self.reason

    @property
    def by_id(self) -> dict[str, RawRow]:
        """Usable rows, the later of two with one id."""
        return {row.id: row for row in self.rows if is_usable(row)}

    @property
    def living(self) -> dict[str, RawRow]:
        """The rows that do not say they are gone."""
        return {key: row for key, row in self.by_id.items() if not says_gone(self.endpoint, row)}


Between = Callable[[Read], Awaitable[None]]
"""Something that happens after a page, knowing what has been read so far."""


async def read(
    session: Session, endpoint: Endpoint, *, since: datetime | None = None, until: datetime | None = None,
    between: Between | None = None,
) -> Read:
    """Read to the end, or to the ChannelError that ends it. `until`: a closed window, that ends before it."""
    found, seen, now = Read(endpoint), Seen(), session.clock.now()
    try:
        async for page in endpoint.read(session, Window(since, until or now, until is not None)):
            seen.add(page)
            found.rows += page.rows
            found.page_sizes.append(len(page.rows))
            if between is not None:
                await between(found)
    except ChannelError as error:
        found.reason = f"{type(error).__name__}: {error.message}"
        return found
    unusable = [row.id for row in found.rows if not is_usable(row)]
    verdict = ReadVerdict(
        session.system, endpoint.name, endpoint.entities, "delta" if since else "census", True, "", seen.row_count,
        seen.page_count, seen.declared_max, now, session.clock.now(), since, now,
    )
    judged = judge(
        verdict, seen, unique_count=len({row.id for row in found.rows}), last_census=None,
        may_be_empty=endpoint.may_be_empty, twins=len(unusable) - len(set(unusable)),
    )
    found.reason = judged.reason
    return found


def says_gone(endpoint: Endpoint, row: RawRow) -> bool:
    """Whether a record says that it is gone."""
    if not endpoint.gone:
        return False
    value = msgspec.json.decode(row.payload)
    for step in endpoint.gone.removeprefix("$").strip(".").split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value is True or str(value).lower() == "true"


def changed_at(row: RawRow) -> datetime | None:
    """When the vendor says the record last changed."""
    return moment_of((row.updated_at or "").replace(" ", "T").replace("Z", "+00:00") or None)


def moments_ago(session: Session) -> datetime:
    """A moment of the system's own time that lies before whatever is done from now on."""
    return session.clock.now() + (session.clock_offset or timedelta()) - GRAIN
