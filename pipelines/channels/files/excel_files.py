"""Excel: bytes to a sheet and back, by openpyxl: values as they were last computed, formulas never run.

A number shown with leading zeros (a barcode of the format 0000000000000) has them; a text stays text. On the way out
texts are stored as texts, so that no spreadsheet runs them, and amounts and quantities as numbers; a cell of a whole
row that nobody corrects keeps its type and its format.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zipfile import BadZipFile, ZipFile

from pipelines.channels.files.mapping import Table
from pipelines.channels.files.sheet import MAX_UNPACKED_BYTES, Line, Sheet, broken, located, text_of, without_trailer

_ZEROS = re.compile(r"0+")
NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no Excel file can hold."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell that is no text: its value and how it is shown."""

    value: Any
    shown: str


def read_excel(name: str, content: bytes, table: Table, width: int = 0) -> Sheet:
    """One sheet of a workbook; FatalChannelError for a file that is none or has no such sheet.

    `width`: how many columns it has at least, where it has no headers: Excel keeps no blank cells that would say it.
    """
    from openpyxl import load_workbook  # here: it takes half a second, and most estates have no Excel

    try:
        with ZipFile(io.BytesIO(content)) as packed:  # no part of it gives more than it says here
            size = sum(part.file_size for part in packed.infolist())
        if size > MAX_UNPACKED_BYTES:
            raise broken(name, None, f"it unpacks to {size} bytes, more than {MAX_UNPACKED_BYTES}")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError, EOFError, SyntaxError) as error:
        raise broken(name, None, "it does not open as Excel (.xlsx): cut off, or still being written?") from error
    if table.sheet and table.sheet not in book.sheetnames:
        words = f"no sheet {table.sheet!r} among its {len(book.sheetnames)}; mend `sheet` in the mapping"
        raise broken(name, None, words)
    if not book.worksheets:
        raise broken(name, None, "it holds no sheet")
    page = book[table.sheet] if table.sheet else book.worksheets[0]
    if hasattr(page, "reset_dimensions"):
        page.reset_dimensions()  # other programs write sizes that are not true
    is_kept = table.rows == "whole"
    try:
        found = [
            (number, _cells(row, table), _typed(row) if is_kept else ())
            for number, row in enumerate(page.iter_rows(), start=1)
        ]
    except (BadZipFile, KeyError, ValueError, OSError, EOFError, SyntaxError) as error:
        raise broken(name, None, "its rows cannot be read: cut off?") from error
    filled = [line for line in found if line[0] >= table.header_row and any(map(str.strip, line[1]))]
    if not filled:
        raise broken(name, None, "the sheet holds no row")
    if table.header_row:
        header, filled = _trimmed(filled[0][1]), filled[1:]
    else:
        widest = max(width, *(len(cells) for _, cells, _ in filled))
        header = tuple(f"#{place}" for place in range(1, widest + 1))
    width = len(header)
    lines = []
    for number, cells, typed in filled:
        if any(cell.strip() for cell in cells[width:]):
            raise broken(name, number, f"a value to the right of the {width} columns that have a header")
        blank = [""] * (width - len(cells))
        lines.append(Line(number, (*cells[:width], *blank), (*typed[:width], *blank) if is_kept else ()))
    return Sheet(name, header, without_trailer(name, lines, table), columns=located(name, header, table))


def write_excel(
    header: Sequence[str], rows: Sequence[Sequence[str | Typed]], table: Table, *, numbers: frozenset[int]
) -> bytes:
    """Rows as a workbook of one sheet. `numbers`: the places of amounts and quantities, as far as they are texts."""
    from openpyxl import Workbook  # here, as above

    book = Workbook()
    page = book.active
    page.title = table.sheet or "corrections"
    at = max(1, table.header_row)
    if table.header_row:
        _put(page, at, header, frozenset(), table)
    first = at + 1 if table.header_row else at
    for number, row in enumerate(rows, start=first):
        _put(page, number, row, numbers, table)
    if table.trailer:
        last = [table.trailer, *[""] * (max(len(header), table.trailer_count) - 1)]
        last[table.trailer_count - 1] = str(len(rows))
        _put(page, first + len(rows), last, frozenset(), table)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _cells(row: tuple[Any, ...], table: Table) -> tuple[str, ...]:
    cells = []
    for cell in row:
        shown = getattr(cell, "number_format", "") or ""
        cells.append(text_of(cell.value, table, len(shown) if _ZEROS.fullmatch(shown) else 0))
    return tuple(cells)


def _typed(row: tuple[Any, ...]) -> tuple[str | Typed, ...]:
    """The cells as they are; a formula, as everywhere, is its value."""
    return tuple("" if cell.value is None else Typed(cell.value, cell.number_format or "General") for cell in row)


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Without the blank columns to the right."""
    last = max(place for place, cell in enumerate(cells) if cell.strip())
    return cells[: last + 1]


def _put(page: Any, number: int, row: Sequence[str | Typed], numbers: frozenset[int], table: Table) -> None:
    for place, held in enumerate(row):
        if not held:
            continue
        value: Any = held.value if isinstance(held, Typed) else _number(held, table) if place in numbers else held
        if isinstance(value, str) and NOT_XML.search(value):
            raise UnicodeEncodeError("xlsx", value, 0, 1, "a control character")
        cell = page.cell(row=number, column=place + 1)
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
            cell.quotePrefix = True
        if isinstance(held, Typed):
            cell.number_format = held.shown
        elif isinstance(value, Decimal):
            cell.number_format = "0." + "0" * max(2, -int(value.as_tuple().exponent))


def _number(text: str, table: Table) -> Decimal | int | str:
    try:
        value = Decimal(text.replace(table.decimal, "."))
    except InvalidOperation:
        return text
    return int(value) if value == value.to_integral_value() and "." not in str(value) else value
