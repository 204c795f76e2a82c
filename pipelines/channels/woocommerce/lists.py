"""WooCommerce's lists, read whole while the shop goes on changing.

In the order of ids, so that what is new comes last. Pages overlap: a record that is deleted meanwhile moves the rest
up, and a page that does not begin among the ids already seen is asked for again further back. The end is where the
vendor's own total says, never a page that is shorter than asked for, since a host may cap pages without a word.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pipelines.channels.base import RawRow
from pipelines.channels.keys import head_of, raw_row
from pipelines.channels.woocommerce.session import API, SYSTEM
from pipelines.errors import FatalChannelError
from pipelines.http import Answer, Session

PAGE = 100
OVERLAP = 5
_MOST_STEPS_BACK = 20


class Head(msgspec.Struct):
    """What the reader needs of a record; everything may be of any type."""

    id: Any = None
    date_modified_gmt: Any = None
    type: Any = None
    variations: Any = None
    refunds: Any = None

    @property
    def key(self) -> str | None:
        """The id as text; None where it is no whole number above 0."""
        return str(self.id) if type(self.id) is int and self.id > 0 else None

    @property
    def changed_at(self) -> str | None:
        """The time of the last change, with the zone that the vendor leaves out."""
        return f"{self.date_modified_gmt}Z" if isinstance(self.date_modified_gmt, str) else None


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came, and what was read of it."""

    raw: msgspec.Raw
    head: Head

    def row(self) -> RawRow:
        """The raw row."""
        return raw_row(self.raw, self.head.key, at=self.head.changed_at)


@dataclass(frozen=True, slots=True)
class Slice:
    """Records of one call that had not come before, and how many there were then."""

    records: Sequence[Record]
    total: int


_HEAD = msgspec.json.Decoder(Head)
_RECORDS = msgspec.json.Decoder(list[msgspec.Raw])


def records_of(answer: Answer) -> list[Record]:
    """A list's answer; FatalChannelError for anything else."""
    try:
        raws = _RECORDS.decode(answer.body)
    except msgspec.DecodeError as error:
        raise FatalChannelError("the answer is no list in JSON", system=SYSTEM, status=answer.status) from error
    return [Record(raw, head_of(raw, _HEAD)) for raw in raws]


def total_of(answer: Answer, path: str) -> int:
    """How many records the whole list has, as the vendor declares; FatalChannelError where it does not."""
    text = answer.headers.get("x-wp-total", "")
    if not text.isdigit():
        raise FatalChannelError(f"{path} declares no total: something on the way drops X-WP-Total", system=SYSTEM)
    return int(text)


async def total(session: Session, path: str, params: Mapping[str, str | int] | None = None) -> int:
    """How many records a list has."""
    return total_of(await session.get(f"{API}/{path}", params={**(params or {}), "per_page": 1}), path)


async def read_list(
    session: Session, path: str, params: Mapping[str, str | int] | None = None
) -> AsyncIterator[Slice]:
    """A whole list, each record once. FatalChannelError where it is not in order, or where nothing holds still."""
    offset, last, back, is_overlapping = 0, 0, 0, False
    while True:
        asked = {**(params or {}), "orderby": "id", "order": "asc", "per_page": PAGE, "offset": offset}
        answer = await session.get(f"{API}/{path}", params=asked)
        records, there = records_of(answer), total_of(answer, path)
        ids = [record.head.id for record in records if record.head.key is not None]
        if ids != sorted(set(ids)):
            raise FatalChannelError(f"{path} is not in the order of ids that was asked for", system=SYSTEM)
        if is_overlapping and (not records or ids and ids[0] > last):
            # Records before this page were deleted since the last call: some of what follows them is not seen yet.
            # By half a page, so that the page asked for again reaches into this one.
            back += 1
            if back > _MOST_STEPS_BACK:
                raise FatalChannelError(f"{path} changes faster than it can be read", system=SYSTEM)
            offset = max(0, offset - max(1, (len(records) or PAGE) // 2))
            is_overlapping = offset > 0
            continue
        fresh = [record for record in records if record.head.key is None or record.head.id > last]
        yield Slice(fresh, there)
        if offset + len(records) >= there or not fresh:
            return
        last, back = max(last, *ids) if ids else last, 0
        # An id that cannot be read is no place to overlap at: such a page is followed by the next one as it is.
        is_overlapping = len(ids) == len(records) > OVERLAP
        offset += len(records) - OVERLAP if is_overlapping else len(records)
