"""Corrections as files in the shape of the drops: one file a batch and set of columns, put into `out/` as a whole.

A file is a request: it is applied by whoever imports it, and proven by a later drop. Its name is made of the plan and
the batch's key, so that a batch that is sent again is the same file again. With `rows = "changed"` it holds the key and
the columns that change, and every row of it changes all of these; with "whole", rows as they were dropped (or as an
earlier file of ours that waits has them), corrected. Nothing here raises a permission.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.channels.barcodes import printed
from pipelines.channels.files.mapping import PLACES
from pipelines.channels.files.numbers import denial, written_amount
from pipelines.channels.files.records import Record, held_of
from pipelines.channels.files.session import FilesSession, of_files
from pipelines.channels.files.shapes import content_of, fault_of
from pipelines.channels.files.waiting import Waiting, beginning, waiting_of
from pipelines.channels.outcomes import rejected
from pipelines.http import Session
from pipelines.model import Correction, Outcome, OutcomeStatus

MAX_BATCH = 10_000
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")

Write = Callable[[Session, Sequence[Correction], str], Awaitable[list[Outcome]]]


@dataclass(slots=True)
class _Row:
    """One record to write, with the cells that change by their place, and whose corrections these are."""

    record: Record
    cells: dict[int, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)


def group_of(correction: Correction) -> str:
    """The table: the corrections of one go into one batch."""
    return str(correction.context.get("table", ""))


def writer_of(entity: str) -> Write:
    """The writer of one entity."""

    async def write(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
        """Outcomes in order: applied means that the file is there. FatalChannelError where the drops are not whole."""
        files = of_files(session)
        outcomes, parts = await _composed(files, entity, corrections, key)
        for name, rows in parts.items():
            await _put(files, entity, name, rows)
            outcomes |= await _filed(files, name, rows)
        return [outcomes[c.correction_key] for c in corrections]

    return write


def asked_of(entity: str) -> Write:
    """What became of a batch of one entity whose answer was lost."""

    async def asked(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
        """Outcomes in order: applied where the file is there. A marker that it lacks is made, no file ever is."""
        files = of_files(session)
        outcomes, parts = await _composed(files, entity, corrections, key)
        out = (await files.mapping()).out
        for name, rows in parts.items():
            if await files.has(f"{out}/{name}"):
                outcomes |= await _filed(files, name, rows)
                continue
            lost = "no file of it was left in the folder"
            outcomes |= {k: Outcome(k, OutcomeStatus.SKIPPED, "not_applied", lost) for row in rows for k in row.keys}
        return [outcomes[c.correction_key] for c in corrections]

    return asked


async def _composed(
    session: FilesSession, entity: str, corrections: Sequence[Correction], key: str
) -> tuple[dict[str, Outcome], dict[str, list[_Row]]]:
    """Outcomes of what is in no file, and the rows of each file by its name; the same for the same batch and drops."""
    held = await held_of(session, entity)
    rows: dict[tuple[str, str], _Row] = {}
    outcomes: dict[str, Outcome] = {}
    for c in corrections:
        record = held.get((c.vendor_id, c.vendor_sub_id))
        if record is None:
            gone = Outcome(c.correction_key, OutcomeStatus.STALE, "gone", "no such row is dropped any more")
            outcomes[c.correction_key] = gone
            continue
        found = _cell(c, record)
        if isinstance(found, Outcome):
            outcomes[c.correction_key] = found
            continue
        row = rows.setdefault((c.vendor_id, c.vendor_sub_id), _Row(record))
        row.cells[found[0]] = found[1]
        row.keys.append(c.correction_key)
    return outcomes, _files(entity, rows.values(), corrections[0].plan_id, key)


def _cell(c: Correction, record: Record) -> tuple[int, str] | Outcome:
    """Place and text of what is to be written; or the outcome that says why it is not."""
    table = record.table
    if table.rows == "none":
        return rejected(c, "ROWS_NONE", 'the mapping says rows = "none": nothing is written from this table')
    place = record.sheet.columns.get(c.field)
    if place is None:
        return rejected(c, "NO_COLUMN", f"the mapping names no column for {c.field}")
    if c.entity == "consents" and c.desired != "no":
        return rejected(c, "RAISE_REFUSED", "a permission is never raised by a sync")
    is_cleared = c.field == "compare_at" and c.desired is None
    if not is_cleared and not (c.desired or "").strip():
        return rejected(c, "BLANK", "a blank is never written")
    text = _written(c, c.desired, record)
    fault = fault_of(text, record.sheet, place, table)  # of every text: one that fits nowhere would stop the others
    return rejected(c, *fault) if fault else (place, text)


def _written(c: Correction, desired: str | None, record: Record) -> str:
    """A canonical value in the writing of the file; '' for none."""
    if desired is None:
        return ""
    if c.entity == "consents":
        return denial(record.text(c.field), record.table)
    if c.entity == "prices":
        return written_amount(desired, record.table, int(c.context["digits"]))
    return printed(desired) if c.entity == "items" else desired


def _files(entity: str, rows: Iterable[_Row], plan_id: str, key: str) -> dict[str, list[_Row]]:
    """The rows of each file of one batch, by its name.

    Rows of a file have one header and, where only changed columns are written, one set of these; where the drop's name
    says the place, so does ours.
    """
    parts: dict[tuple[str, str, tuple[int, ...], tuple[str, ...]], list[_Row]] = {}
    for row in rows:
        table, sheet = row.record.table, row.record.sheet
        columns = tuple(sorted(row.cells)) if table.rows == "changed" else ()
        parts.setdefault((row.record.table_name, row.record.drop.place, columns, sheet.header), []).append(row)
    found: dict[str, list[_Row]] = {}
    for (table_name, place, columns, _), members in sorted(parts.items(), key=lambda part: part[0]):
        names = {at: name for name, at in members[0].record.sheet.columns.items()}
        words = [plan_id, key[:16], *(names[at] for at in columns)]
        stem = ".".join([beginning(entity, table_name, place), *(_NOT_IN_NAMES.sub("-", word) for word in words)])
        count = sum(name.startswith(f"{stem}.") for name in found)
        found[f"{stem}.{f'{count + 1}.' if count else ''}{members[0].record.table.format}"] = members
    return found


async def _put(session: FilesSession, entity: str, name: str, rows: Sequence[_Row]) -> None:
    table, sheet = rows[0].record.table, rows[0].record.sheet
    path = f"{(await session.mapping()).out}/{name}"
    if await session.has(path):
        return
    is_whole = table.rows == "whole"
    waiting = await waiting_of(session, entity, [row.record for row in rows]) if is_whole else {}
    named = [sheet.columns[word] for word in ("key", PLACES.get(entity, "")) if word in sheet.columns]
    places = list(range(len(sheet.header))) if is_whole else sorted({*named, *rows[0].cells})
    cells = [_cells(row, places, waiting) for row in rows]
    await session.write(path, await asyncio.to_thread(content_of, sheet, table, places, cells))


async def _filed(session: FilesSession, name: str, rows: Sequence[_Row]) -> dict[str, Outcome]:
    """The outcomes of a file that is there, once its marker is."""
    marker = rows[0].record.table.marker
    path = f"{(await session.mapping()).out}/{name}"
    if marker and not await session.has(path + marker):
        await session.write(path + marker, b"")
    message = f"in {path}, for whoever imports it; a later drop proves it"
    return {key: Outcome(key, OutcomeStatus.APPLIED, "filed", message, name) for row in rows for key in row.keys}


def _cells(row: _Row, places: Sequence[int], waiting: Waiting) -> list[Any]:
    record = row.record
    _, held = waiting.get((record.key, record.place), (record.drop.entry.modified_at, record.line))
    return [row.cells[place] if place in row.cells else held.kept(place) for place in places]
