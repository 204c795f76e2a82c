"""Laws of files: what is written in a shape is read back as the same rows; Python and SQL read a value alike."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.channels.files.csv_files import read_csv, write_csv
from pipelines.channels.files.excel_files import read_excel, write_excel
from pipelines.channels.files.mapping import Items, Prices
from pipelines.channels.files.numbers import minor, permission, plain, units, written_amount
from pipelines.channels.files.patterns import matcher_of, may_name_one
from pipelines.channels.files.shapes import fault_of
from pipelines.channels.files.sheet import Sheet
from pipelines.duck import connect
from pipelines.macros import load_macros
from tests.law import law

HEADER = ("Code", "Nom", "Ville")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
SHEET_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=12)
"""Without what no Excel file can hold."""


def table(**form: Any) -> Items:
    return Items.model_validate({"file": "x", "columns": {"key": "Code", "title": "Nom", "category": "Ville"}, **form})


def sheet(of: Items) -> Sheet:
    columns = {"key": 0, "title": 1, "category": 2}
    return Sheet("x", HEADER, [], columns=columns, preamble=("Export",) * (of.header_row - 1))


@law(30, holds=3, of=lambda rows: len(rows))
@given(
    rows=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=3, max_size=9),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quote=st.sampled_from(['"', "'"]), newline=st.sampled_from(["\n", "\r\n"]), header_row=st.integers(1, 3),
    trailer=st.sampled_from(["", "FIN"]),
)
def test_a_written_csv_reads_as_its_rows(rows, encoding, delimiter, quote, newline, header_row, trailer):
    form = table(encoding=encoding, delimiter=delimiter, quote=quote, header_row=header_row, trailer=trailer,
                 formulas="keep")
    shape = sheet(form)
    assume(all(fault_of(cell, shape, 0, form) is None for row in rows for cell in row))
    assume(all("".join(row).strip() and row[0].strip() != "FIN" for row in rows))
    found = read_csv("x", write_csv(replace(shape, newline=newline), HEADER, rows, form), form)
    assert [line.cells for line in found.lines] == [tuple(row) for row in rows]
    assert found.header == HEADER
    assert [line.number for line in found.lines] == sorted({line.number for line in found.lines})


@law(3, holds=12, of=lambda rows: len(rows))
@given(rows=st.lists(st.tuples(SHEET_TEXT, SHEET_TEXT, SHEET_TEXT), min_size=12, max_size=40),
       header_row=st.integers(1, 3), trailer=st.sampled_from(["", "FIN"]))
def test_a_written_workbook_reads_as_its_rows(rows, header_row, trailer):
    form = table(format="xlsx", header_row=header_row, trailer=trailer, formulas="keep")
    shape = sheet(form)
    assume(all(fault_of(cell, shape, 0, form) is None for row in rows for cell in row))
    assume(all("".join(row).strip() and row[0].strip() != "FIN" for row in rows))
    found = read_excel("x", write_excel(HEADER, rows, form, numbers=frozenset()), form)
    assert [line.cells for line in found.lines] == [tuple(row) for row in rows]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect()
    load_macros(connection, contact_key=b"k")
    yield connection
    connection.close()


FORMS = st.tuples(st.sampled_from([".", ","]), st.sampled_from(["", ".", ",", " ", "'"])).filter(lambda f: f[0] != f[1])
UNIT = st.sampled_from(["major", "minor"])
NUMBER = st.one_of(
    st.from_regex(r"[-+]?[0-9]{1,4}([., '\u00a0\u202f’][0-9]{1,4}){0,3}( ?€)?", fullmatch=True), TEXT,
)


def prices(decimal: str, thousands: str, unit: str) -> Prices:
    return Prices.model_validate({
        "file": "x", "decimal": decimal, "thousands": thousands, "unit": unit, "currency": "EUR",
        "columns": {"key": "Code", "amount": "Prix"},
    })


@law(8, holds=20, of=lambda texts: len(texts))
@given(texts=st.lists(NUMBER.map(str.strip), min_size=20, max_size=60), form=FORMS, unit=UNIT,
       currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_python_and_sql_read_amounts_and_units_alike(con, texts, form, unit, currency):
    of = prices(*form, unit)
    found = con.execute(
        "SELECT t, plain_decimal(t, d, g), to_units(plain_decimal(t, d, g)), amount_of_file(t, d, g, u, c), "
        "currency_digits(c) FROM (SELECT unnest(?) AS t, ? AS d, ? AS g, ? AS u, ? AS c)",
        [texts, *form, unit, currency],
    ).fetchall()
    assert [row[0] for row in found] == texts
    for text, number, quantity, amount, digits in found:
        assert (plain(text, of) is None) == (number is None)
        if number is not None and len(text) < 12:
            assert units(text, of) == (text if quantity is None else str(quantity))
            if unit == "major" or "." not in number:
                assert minor(text, of, digits, is_euro=False) == (text if amount is None else str(amount))


@law(60)
@given(amount=st.integers(-10**8, 10**8), form=FORMS, unit=UNIT, digits=st.sampled_from([0, 2, 3]))
def test_a_written_amount_reads_as_itself(amount, form, unit, digits):
    of = prices(*form, unit)
    assert minor(written_amount(str(amount), of, digits), of, digits, is_euro=True) == str(amount)


@law(60)
@given(st.sampled_from(["yes", "no", "pending"]), st.text(" \t", max_size=9), st.text(" \t", max_size=9))
def test_the_first_word_of_each_kind_says_it(state, before, after):
    form = table()
    assert permission(f"{before}{getattr(form, state)[0].upper()}{after}", form) == state


@law(60)
@given(st.from_regex(r"[a-z0-9.+()\[\]$^]{1,8}", fullmatch=True))
def test_a_name_without_a_pattern_is_only_itself(name):
    assert matcher_of(name).fullmatch(name)
    assert not matcher_of(name).fullmatch(f"{name}x")
    assert not matcher_of("*.csv").fullmatch("a/b.csv")


@law(100)
@given(
    st.from_regex(r"[ab/]{1,5}", fullmatch=True), st.lists(st.sampled_from("ab/*?"), max_size=6).map("".join),
    st.lists(st.sampled_from("ab/*?"), max_size=6).map("".join),
)
def test_two_patterns_that_fit_a_name_may_name_one(name, left, right):
    if matcher_of(left).fullmatch(name) and matcher_of(right).fullmatch(name):
        assert may_name_one(left, right)
