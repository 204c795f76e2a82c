"""Which files count: the newest whole one of each table, with the changes that came after it (GUARDS R7).

A file is whole when it did not grow between two looks, has its marker where the mapping names one, is as long as the
folder says, and ends as its format does (the formats' modules). One without its marker is not there yet, so the one
before it still counts; any other fault stops the read, for yesterday's values in the place of today's are no answer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath

from pipelines.channels.files.csv_files import read_csv
from pipelines.channels.files.excel_files import read_excel
from pipelines.channels.files.mapping import Table
from pipelines.channels.files.patterns import matcher_of
from pipelines.channels.files.session import Entry, FilesSession
from pipelines.channels.files.sheet import Sheet, broken
from pipelines.errors import FatalChannelError


def _read_parquet(name: str, content: bytes, table: Table) -> Sheet:
    from pipelines.channels.files.parquet_files import read_parquet  # here: Arrow takes long to import

    return read_parquet(name, content, table)


def _read(name: str, content: bytes, table: Table, width: int) -> Sheet:
    if table.format == "xlsx":
        return read_excel(name, content, table, width)
    return _read_parquet(name, content, table) if table.format == "parquet" else read_csv(name, content, table)


@dataclass(frozen=True, slots=True)
class Drop:
    """One file that counts. `place`: what its name says of its rows (`{location}`), or ''."""

    entry: Entry
    place: str


async def drops_of(session: FilesSession, table: Table) -> list[Drop]:
    """The files of a table that count, in the order in which later ones are laid over earlier ones.

    FatalChannelError that names file and cure where there is none, or where one still grows or is too old.
    """
    first = await _look(session, table)
    if not first:
        raise _nothing(table)
    settle = (await session.mapping()).settle_seconds
    if settle:
        await session.clock.sleep(settle)
        second = {drop.entry.name: drop.entry for drop in await _look(session, table)}
        for drop in first:
            if second.get(drop.entry.name) != drop.entry:
                raise broken(drop.entry.name, None, "it is still being written: the next night reads it")
    for drop in first:
        if drop.entry.size == 0:
            raise broken(drop.entry.name, None, "it is empty (0 bytes): ask for it anew")
    _refuse_old(session, table, first)
    return first


async def sheet_of(session: FilesSession, drop: Drop, table_name: str, table: Table, width: int = 0) -> Sheet:
    """A file taken apart, once a night; FatalChannelError where it is not whole. `width`: as of `read_excel`."""
    key = (table_name, drop.entry, width)
    if key not in session.kept:
        content = await session.read(drop.entry.name)
        if len(content) != drop.entry.size:
            raise broken(drop.entry.name, None, "it changed while it was read: the next night reads it")
        session.kept[key] = await asyncio.to_thread(_read, drop.entry.name, content, table, width)
    found: Sheet = session.kept[key]
    return found


async def _look(session: FilesSession, table: Table) -> list[Drop]:
    """The newest file of each place with its marker, and the changes that are not older."""
    whole = await _matching(session, table.file, table.marker)
    newest: dict[str, Drop] = {}
    for drop in whole:
        other = newest.get(drop.place)
        if other is None or _age(drop, table) > _age(other, table):
            newest[drop.place] = drop
    found = [newest[place] for place in sorted(newest)]
    if table.changes and found:
        changes = [
            drop for drop in await _matching(session, table.changes, table.marker)
            if drop.place in newest and drop.entry.name != newest[drop.place].entry.name
            and drop.entry.modified_at >= newest[drop.place].entry.modified_at
        ]
        found += sorted(changes, key=lambda drop: (drop.entry.modified_at, drop.entry.name))
    return found


def _age(drop: Drop, table: Table) -> tuple[object, str]:
    return ("" if table.newest_by == "name" else drop.entry.modified_at), drop.entry.name


async def _matching(session: FilesSession, pattern: str, marker: str) -> list[Drop]:
    path = PurePosixPath(pattern)
    folder = "" if str(path.parent) == "." else str(path.parent)
    entries = await session.entries(folder)
    names = {entry.name for entry in entries}
    matcher = matcher_of(pattern)
    found = []
    for entry in entries:
        fits = matcher.fullmatch(entry.name)
        if fits and not PurePosixPath(entry.name).name.startswith(".") and (not marker or entry.name + marker in names):
            found.append(Drop(entry, fits.groupdict().get("place") or ""))
    return found


def _refuse_old(session: FilesSession, table: Table, drops: Sequence[Drop]) -> None:
    if table.max_age_hours is None:
        return
    now = session.clock.now()
    for place in sorted({drop.place for drop in drops}):
        last = max((drop.entry for drop in drops if drop.place == place), key=lambda entry: entry.modified_at)
        age = now - last.modified_at
        if age > timedelta(hours=table.max_age_hours):
            hours = int(age.total_seconds() // 3600)
            words = f"it is {hours} h old, max_age_hours is {table.max_age_hours:g}: does the export still run?"
            raise broken(last.name, None, words)


def _nothing(table: Table) -> FatalChannelError:
    marked = f" with its {table.marker}" if table.marker else ""
    return broken(table.file, None, f"no file of this name{marked} in the folder: does the export still run?")
