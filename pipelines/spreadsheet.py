"""The plan as a spreadsheet for merchandisers, and the way back: their decisions, read and judged.

`write_plan` makes one .xlsx from plan rows; `read_decisions` reads the column `decision` of such a file. Nothing is
applied here: decisions become answers in the inbox, like those of the command line. Text that a sheet would run as
a formula is stored as text with a leading apostrophe (see GUARDS, CSV injection); numbers stay numbers.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from pipelines.errors import DataError
from pipelines.report.mask import shown

COLUMNS = (
    ("key", 16), ("system", 12), ("what", 42), ("place", 18), ("field", 20), ("before", 16), ("after", 16),
    ("class", 18), ("why", 60), ("state", 14), ("state_reason", 40), ("decision", 16), ("until", 14), ("comment", 40),
)
DECISIONS = ("approve", "reject", "accept-theirs", "pin")
_RUNS = re.compile(r"^[\s\u00a0]*[=+\-@\t\r\n]|\n[\s\u00a0]*[=+\-@]")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?( [A-Z]{3})?$")


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer out of a sheet; `row` is the sheet's row number, for messages."""

    correction_key: str
    answer: str
    until: date | None
    comment: str
    row: int


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before it where a sheet would run it.

    >>> safe_cell("=1+1"), safe_cell("-12.50"), safe_cell("Robe"), safe_cell("  @cmd")
    ("'=1+1", '-12.50', 'Robe', "'  @cmd")
    """
    return f"'{text}" if _RUNS.search(text) and not _NUMBER.match(text) else text


def write_plan(rows: Iterable[Mapping[str, Any]], target: Path, *, fingerprint: str) -> Path:
    """Write plan rows (columns as in `pipelines/report/queries/rows.sql`) to `target`; personal values masked."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    sheet.title = "plan"
    sheet.append([name for name, _ in COLUMNS])
    count = 1
    for row in rows:
        count += 1
        for column, value in enumerate(_cells(row), start=1):
            cell = sheet.cell(row=count, column=column, value=safe_cell(_without_controls(value)))
            cell.data_type = "s"
    for index, (_, width) in enumerate(COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
        sheet.cell(row=1, column=index).font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{max(count, 2)}"
    choice = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True)
    choice.error = f"one of {', '.join(DECISIONS)}, or empty"
    sheet.add_data_validation(choice)
    decision = get_column_letter([name for name, _ in COLUMNS].index("decision") + 1)
    choice.add(f"{decision}2:{decision}{max(count, 2)}")
    book.create_sheet("about").append(["fingerprint", fingerprint])
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    target.chmod(0o600)
    return target


def read_decisions(source: Path, *, keys: Mapping[str, str]) -> tuple[str, list[Decision]]:
    """Fingerprint and decisions of a sheet. `keys`: full correction keys by their first 12 characters.

    Raises DataError naming row, column and the allowed values for anything it cannot take; nothing is half read.
    """
    from openpyxl import load_workbook

    try:
        book = load_workbook(source, read_only=True, data_only=True)
        lines = list(book["plan"].iter_rows(values_only=True))
        fingerprint = str(next(book["about"].iter_rows(values_only=True))[1])
    except (BadZipFile, KeyError, OSError, ValueError, StopIteration, IndexError) as error:
        raise DataError(f"{source.name} is not a sheet made by `trueup plan --export`") from error
    head = [str(name) for name in lines[0]] if lines else []
    missing = [name for name in ("key", "decision", "until", "comment") if name not in head]
    if missing:
        raise DataError(f"{source.name}: column {missing[0]!r} is missing; export the plan again")
    at = {name: head.index(name) for name in head}
    found = [
        _decision(line, at, number, keys)
        for number, line in enumerate(lines[1:], start=2)
        if line[at["decision"]] not in (None, "")
    ]
    return fingerprint, found


def _decision(line: tuple[Any, ...], at: Mapping[str, int], number: int, keys: Mapping[str, str]) -> Decision:
    answer = str(line[at["decision"]]).strip().lower()
    if answer not in DECISIONS:
        raise DataError(f"row {number}, column decision: {answer!r} is not one of {', '.join(DECISIONS)}")
    short = str(line[at["key"]] or "").strip()
    if short not in keys:
        raise DataError(f"row {number}, column key: {short!r} is not a row of the last plan")
    until = _date(line[at["until"]], number)
    if answer == "pin" and until is None:
        raise DataError(f"row {number}, column until: a pin needs a date (YYYY-MM-DD)")
    return Decision(keys[short], answer, until, str(line[at["comment"]] or ""), number)


def _date(value: Any, number: int) -> date | None:
    if value in (None, ""):
        return None
    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise DataError(f"row {number}, column until: {value!r} is not a date (YYYY-MM-DD)") from error


def _cells(row: Mapping[str, Any]) -> list[str]:
    values = [shown(row["entity"], row["field"], row[side], row["currency"]) for side in ("observed", "desired")]
    personal = row["entity"] in ("customers", "consents")
    what = row["vendor_id"] if personal else row["title"] or row["vendor_id"]
    return [
        row["correction_key"][:12], row["system"], str(what), str(row["subject_sub_id"] or ""),
        f"{row['entity']}.{row['field']}", *values, row["drift_class"], row["reason"] or "", row["disposition"],
        row["disposition_reason"] or "", "", "", "",
    ]


def _without_controls(text: str) -> str:
    return "".join(char for char in text if char >= " " or char in "\t\n")[:32_000]
