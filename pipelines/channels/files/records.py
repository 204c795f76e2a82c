"""From lines of files to records with a key: the changes laid over the whole file, keys that come twice marked.

A key is what the mapping's key column says; prices, stock and permissions have a place besides (list, location,
audience). An e-mail address is no key to show to anybody, so where it is the key its hash takes its place.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from pipelines.channels.base import RawRow
from pipelines.channels.files.drops import Drop, drops_of, sheet_of
from pipelines.channels.files.mapping import PLACES, Customers, Table
from pipelines.channels.files.session import FilesSession
from pipelines.channels.files.sheet import Line, Sheet, broken
from pipelines.channels.keys import raw_row

BASE = "base"
"""The price list of prices that name none."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line, and of what it is. `times`: how often its key and place stand in the files."""

    key: str
    place: str
    sheet: Sheet
    line: Line
    table_name: str
    table: Table
    drop: Drop
    times: int = 1

    def text(self, name: str) -> str:
        """What stands in a mapped column, without outer blanks; '' where nothing does."""
        place = self.sheet.columns.get(name)
        return "" if place is None else self.line.cells[place].strip()


async def records_of(session: FilesSession, entity: str) -> list[Record]:
    """All records of one entity, in the order of tables and lines; FatalChannelError where a file is not whole."""
    mapping = await session.mapping()
    found: list[Record] = []
    for name, table in mapping.tables(entity).items():
        drops = await drops_of(session, table)
        key = ("records", entity, name, tuple(drop.entry for drop in drops))
        if key not in session.kept:
            sheets = [(drop, await sheet_of(session, drop, f"{entity}.{name}", table)) for drop in drops]
            session.kept[key] = await asyncio.to_thread(_laid_over, entity, name, table, sheets)
        found += session.kept[key]
    return _marked(found)


async def held_of(session: FilesSession, entity: str) -> dict[tuple[str, str], Record]:
    """The records that one key and place name, by these; what stands there twice is left out."""
    return {(r.key, r.place): r for r in await records_of(session, entity) if r.times == 1 and r.key}


def raw_of(entity: str, record: Record) -> RawRow:
    """The record as extract keeps it: our names of its columns, what it says there, and how the file writes values."""
    table = record.table
    values = {name: text for name in record.sheet.columns if name != "key" and (text := record.text(name))}
    payload = {
        "key": record.key, "place": record.place, "table": record.table_name, "file": record.sheet.name,
        "line": str(record.line.number), "times": str(record.times), "values": values,
        "shape": {
            "decimal": table.decimal, "thousands": table.thousands, "dates": table.dates, "timezone": table.timezone,
            "currency": table.currency, "tax_basis": table.tax_basis, "unit": table.unit,
            "country": table.country if isinstance(table, Customers) else "",
            "yes": table.yes, "no": table.no, "pending": table.pending,
            "withdrawals": table.withdrawals,
        },
    }
    parts = (record.key, record.place) if entity in PLACES else (record.key,)
    row = raw_row(msgspec.json.encode(payload), *parts)
    return replace(row, id=f"{row.id}#{record.sheet.name}:{record.line.number}") if record.times > 1 else row


def records_in(entity: str, like: Record, drop: Drop, sheet: Sheet) -> list[Record]:
    """The records of one more file of the table of `like`."""
    return [_record(entity, like.table_name, like.table, drop, sheet, line) for line in sheet.lines]


def _laid_over(entity: str, name: str, table: Table, sheets: Iterable[tuple[Drop, Sheet]]) -> list[Record]:
    """The records of a table's files: what a later file says of a key and place is all that counts of these."""
    found: dict[tuple[str, str], list[Record]] = {}
    known: set[str] = set()
    for drop, sheet in sheets:
        is_change = drop.place in known
        known.add(drop.place)
        if not sheet.lines and not (table.may_be_empty or is_change):
            raise broken(sheet.name, None, "it holds no row; if that may be, say may_be_empty in the mapping")
        own: dict[tuple[str, str], list[Record]] = {}
        for line in sheet.lines:
            record = _record(entity, name, table, drop, sheet, line)
            twins = own.setdefault((record.key, record.place), [])
            if all(twin.line.cells != line.cells for twin in twins):  # the same line twice says no more than once
                twins.append(record)
        found |= own
    return [record for records in found.values() for record in records]


def _record(entity: str, name: str, table: Table, drop: Drop, sheet: Sheet, line: Line) -> Record:
    columns = sheet.columns
    key = line.cells[columns["key"]].strip()
    if key and columns.get("email") == columns["key"]:
        key = sha256(key.lower().encode()).hexdigest()[:32]
    word = PLACES.get(entity, "")
    place = ""
    if word:
        place = line.cells[columns[word]].strip() if word in columns else drop.place or getattr(table, word)
        place = place or (BASE if entity == "prices" and word not in columns else "")
    return Record(key, place, sheet, line, name, table, drop)


def _marked(records: list[Record]) -> list[Record]:
    """The records, those with a key that comes more than once knowing it."""
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        counts[record.key, record.place] = counts.get((record.key, record.place), 0) + 1
    return [
        record if (count := counts[record.key, record.place]) == 1 or not record.key else replace(record, times=count)
        for record in records
    ]
