"""The plan as a sheet: what goes out is safe, what comes back is judged row by row."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipelines.errors import DataError
from pipelines.spreadsheet import read_decisions, safe_cell, write_plan
from tests.law import law

KEY = "ab" * 32


def plan_row(**changes):
    base = {
        "correction_key": KEY, "system": "shopify", "entity": "prices", "field": "amount", "vendor_id": "v1",
        "subject_sub_id": "eur", "currency": "EUR", "observed": "1299", "desired": "1199", "drift_class": "here",
        "reason": "edited by hand", "disposition": "hold", "disposition_reason": "class here", "title": "=1+1",
    }
    return base | changes


@pytest.fixture
def sheet(tmp_path):
    return write_plan([plan_row()], tmp_path / "plan.xlsx", fingerprint="f" * 64)


def decide(path, **cells):
    book = load_workbook(path)
    head = [cell.value for cell in book["plan"][1]]
    for name, value in cells.items():
        book["plan"].cell(row=2, column=head.index(name) + 1, value=value)
    book.save(path)


def test_no_cell_is_a_formula(sheet):
    cells = [cell for row in load_workbook(sheet)["plan"].iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert "'=1+1" in [cell.value for cell in cells]


def test_decisions_come_back_with_full_keys(sheet):
    decide(sheet, decision="Pin", until="2026-07-01", comment="season")
    fingerprint, found = read_decisions(sheet, keys={KEY[:12]: KEY})
    assert fingerprint == "f" * 64
    assert [(d.correction_key, d.answer, d.until) for d in found] == [(KEY, "pin", date(2026, 7, 1))]


def test_no_decision_is_no_answer(sheet):
    assert read_decisions(sheet, keys={KEY[:12]: KEY})[1] == []


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"decision": "yes"}, "row 2, column decision: 'yes' is not one of approve"),
        ({"decision": "pin"}, "row 2, column until: a pin needs a date"),
        ({"decision": "pin", "until": "soon"}, "row 2, column until: 'soon' is not a date"),
        ({"decision": "approve", "key": "nope"}, "row 2, column key: 'nope' is not a row"),
    ],
)
def test_a_wrong_cell_is_named(sheet, cells, words):
    decide(sheet, **cells)
    with pytest.raises(DataError, match=words):
        read_decisions(sheet, keys={KEY[:12]: KEY})


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_text("no sheet")
    with pytest.raises(DataError, match="trueup plan --export"):
        read_decisions(path, keys={})


@law(100)
@given(st.text())
def test_safe_cell_never_starts_a_formula(text):
    first = safe_cell(text).lstrip(" \u00a0")[:1]
    assert first not in ("=", "@", "\t", "\r") and first != "+"
