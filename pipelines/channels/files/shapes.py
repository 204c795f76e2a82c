"""The way out, whatever the format: rows as a file in the shape of a drop, and what no file of that shape can hold."""

import csv
import re
from collections.abc import Sequence
from typing import Any

from pipelines.channels.files.csv_files import write_csv
from pipelines.channels.files.excel_files import NOT_XML, write_excel
from pipelines.channels.files.mapping import Table
from pipelines.channels.files.sheet import Sheet, broken

NUMBERS = ("amount", "compare_at", "available")
"""Our names of the columns that Excel is given as numbers."""
_RUNS = re.compile(r"^[\s\u00a0]*[=+\-@\t\r\n]|\n[\s\u00a0]*[=+\-@]")
"""What a spreadsheet takes for a formula (GUARDS, CSV injection)."""
_HARMLESS = re.compile(r"[-+]?[0-9][0-9 .,()/]*")
"""Numbers, and phones with their country: signs before digits alone run nothing."""


def content_of(sheet: Sheet, table: Table, places: Sequence[int], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows of the columns at `places` of a drop as a file of its shape: texts, or cells as a line keeps them.

    FatalChannelError where no such file can be made of them, though every corrected value by itself can stand in one.
    """
    header = [sheet.header[place] for place in places]
    try:
        if table.format == "csv":
            return write_csv(sheet, header, rows, table)
        if table.format == "parquet":
            from pipelines.channels.files.parquet_files import write_parquet  # here: Arrow takes long to import

            return write_parquet(sheet, places, rows, table)
        numbers = {sheet.columns[name] for name in NUMBERS if name in sheet.columns}
        return write_excel(header, rows, table, numbers=frozenset(at for at, p in enumerate(places) if p in numbers))
    except (ValueError, TypeError, NotImplementedError, csv.Error) as error:  # Arrow's and openpyxl's are of these
        words = f"{len(rows)} rows of its shape cannot be written ({type(error).__name__})"
        raise broken(sheet.name, None, f"{words}; is rows = {table.rows!r} right?") from error


def fault_of(text: str, sheet: Sheet, place: int, table: Table) -> tuple[str, str] | None:
    """Why a text cannot stand at a place of such a file: a code and a sentence; None where it can."""
    if runs(text) and table.formulas == "refuse" and table.format != "parquet":
        return "FORMULA", 'a spreadsheet would run it; where only a program reads the file, say formulas = "keep"'
    if not _fits(text, sheet, place, table):
        return "NOT_WRITABLE", f"a character or a value that a {table.format} file of this shape cannot hold"
    return None


def runs(text: str) -> bool:
    """Whether a spreadsheet would run a text as a formula.

    >>> runs('=HYPERLINK("http://x")'), runs("-12,50"), runs("+33 6 12 34 56 78"), runs("@cmd")
    (True, False, False, True)
    """
    return bool(_RUNS.search(text)) and not _HARMLESS.fullmatch(text)


def _fits(text: str, sheet: Sheet, place: int, table: Table) -> bool:
    if table.format == "xlsx":
        return not NOT_XML.search(text)
    if table.format == "parquet":
        import pyarrow as pa

        from pipelines.channels.files.parquet_files import write_parquet

        try:
            write_parquet(sheet, [place], [[text]], table)
        except pa.ArrowException:
            return False
        return True
    try:
        text.encode(table.encoding)
    except UnicodeEncodeError:
        return False
    return bool(table.quote) or not any(sign in text for sign in (table.delimiter, "\n", "\r"))
