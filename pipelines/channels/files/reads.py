"""Reads of a folder of drops: one raw table an entity, every record of the newest whole files, every night.

A folder has no delta: which rows changed only the rows themselves tell. An entity that the mapping does not name has no
records, and says so. What makes a file whole is `drops`; what makes a record, `records`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from pipelines.channels.base import Page, RawRow, Window
from pipelines.channels.files.records import Record, raw_of, records_of
from pipelines.channels.files.session import of_files
from pipelines.http import Session

PAGE = 5_000
"""Rows that are handed on at once; a file is read whole."""


def reader_of(entity: str) -> Callable[[Session, Window], AsyncIterator[Page]]:
    """The read of one entity."""

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        """Pages of records; FatalChannelError, naming file and cure, where a file is not whole."""
        records = await records_of(of_files(session), entity)
        if not records:
            yield Page((), total=0)
        for start in range(0, len(records), PAGE):
            yield Page(await asyncio.to_thread(_rows, entity, records[start : start + PAGE]))

    return read


def _rows(entity: str, records: Sequence[Record]) -> list[RawRow]:
    return [raw_of(entity, record) for record in records]
