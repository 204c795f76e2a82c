"""A file taken apart: header and lines as text, whatever its format, and where the mapping's columns are in it.

Every cell is text as it stands in the file; a number of an Excel or Parquet file is written as the mapping writes
numbers, a date as ISO does. What is wrong with the file as a whole raises FatalChannelError, which names file, line and
cure, and never a cell's content: it may be a person's. What is wrong with one value is for stage to say.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipelines.channels.files.mapping import Table, headers_of
from pipelines.errors import FatalChannelError

MAX_UNPACKED_BYTES = 2 * 1024 * 1024 * 1024
"""What a packed file (Excel, Parquet) may become; the largest that is read is of 512 MB, and may hold a bomb."""
MOST_CELLS = 200_000_000
"""Of a Parquet file, which writes a billion equal cells in a few bytes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `number`: its line in the file, counted from 1, or its row in a sheet."""

    number: int
    cells: tuple[str, ...]
    raw: Any = ()
    """The cells by their place as the format has them, where its writer is to write whole rows; else nothing."""

    def kept(self, place: int) -> Any:
        """A cell that goes out as it came in, whatever its type."""
        return self.raw[place] if self.raw else self.cells[place]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole file; its last line, if that is a trailer, taken off."""

    name: str
    header: tuple[str, ...]
    lines: list[Line]
    preamble: tuple[str, ...] = ()
    """The lines above the header, as they are (CSV)."""
    newline: str = "\n"
    kinds: Any = None
    """The columns' own types (Parquet: an Arrow schema)."""
    columns: dict[str, int] = field(default_factory=dict)
    """Where the mapping's columns are."""


def broken(name: str, line: int | None, what: str) -> FatalChannelError:
    """The error of a file from which nothing can be concluded."""
    place = f"{name} line {line}" if line else name
    return FatalChannelError(f"{place}: {what}", system="files")


def located(sheet_name: str, header: tuple[str, ...], table: Table) -> dict[str, int]:
    """Where each mapped column stands; FatalChannelError for one that is not there, or twice."""
    found: dict[str, int] = {}
    known = [_folded(name) for name in header]
    for name, headers in headers_of(table.columns):
        places = sorted({place for alias in headers for place in _places(alias, known)})
        told = " or ".join(repr(alias) for alias in headers)
        if not places:
            words = f"no column {told} for {name} among its {len(header)}"
            hint = f"; is {table.delimiter!r} the delimiter?" if len(header) == 1 and table.format == "csv" else ""
            raise broken(sheet_name, table.header_row or None, words + (hint or "; add the header to the mapping"))
        if len(places) > 1:
            words = f"{told} for {name} stands in {len(places)} columns"
            raise broken(sheet_name, table.header_row or None, f"{words}; name the right one by its number, as #3")
        found[name] = places[0]
    return found


def _places(alias: str, known: list[str]) -> Iterator[int]:
    if alias.startswith("#"):
        if int(alias[1:]) <= len(known):
            yield int(alias[1:]) - 1
        return
    yield from (place for place, name in enumerate(known) if name == _folded(alias))


def _folded(header: str) -> str:
    """Headers are compared without case, outer blanks, and the several kinds of blanks and accents."""
    return " ".join(unicodedata.normalize("NFKC", header).replace("\ufeff", "").casefold().split())


def without_trailer(name: str, lines: list[Line], table: Table) -> list[Line]:
    """The lines without the one that counts them; FatalChannelError where it is missing or counts others."""
    if not table.trailer:
        return lines
    if not lines or not is_trailer(lines[-1].cells, table):
        raise broken(name, None, f"its last line does not begin with {table.trailer!r}: cut off? ask for it anew")
    last = lines[-1]
    text = last.cells[table.trailer_count - 1].strip() if len(last.cells) >= table.trailer_count else ""
    if not text.isdecimal():
        raise broken(name, last.number, f"no number in column {table.trailer_count} of the last line")
    if int(text) != len(lines) - 1:
        words = f"{len(lines) - 1} rows where the last line counts {int(text)}: ask for it anew"
        raise broken(name, last.number, words)
    return lines[:-1]


def is_trailer(cells: tuple[str, ...], table: Table) -> bool:
    """Whether a line is the last one, which counts the others."""
    return bool(table.trailer) and bool(cells) and cells[0].strip() == table.trailer


def text_of(value: Any, table: Table, digits: int = 0) -> str:
    """A typed cell as text, numbers in the mapping's own writing. `digits`: to which a whole number is filled up."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value).rjust(digits, "0") if value >= 0 else str(value)
    if isinstance(value, float | Decimal):
        if value != value or value in (float("inf"), float("-inf")):
            return "not a number"
        number = Decimal(repr(value)) if isinstance(value, float) else value
        if number == number.to_integral_value():
            return str(int(number)).rjust(digits, "0") if number >= 0 else str(int(number))
        return f"{number.normalize():f}".replace(".", table.decimal)
    if isinstance(value, datetime):
        return value.date().isoformat() if not value.tzinfo and value.time() == value.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
