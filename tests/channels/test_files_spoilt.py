"""Every column that a mapping may name, spoilt in a file: kept out under its own name, or named here with why not.

Nothing is listed by hand but what needs no check: the columns are the mapping's own, each spoilt in a row of its own
between sound ones. A cell of a file is always text (`test_files_reads`), so there are no other types to try, as
`tests/test_bad_shapes.py` does. Strings that break careless programs go through files of every format.
"""

import asyncio
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.channels.files.excel_files import NOT_XML, write_excel
from pipelines.channels.files.mapping import ENTITIES, PLACES, Items, Mapping
from tests.channels.drops import Drops
from tests.conftest import open_warehouse
from tests.hostile import LONGEST, steers
from tests.hostile import TEXTS as HOSTILE
from tests.test_bad_input import WORD

SOUND = {
    "key": "K{n}", "sku": "SKU-{n}", "gtin": "4006381333931", "title": "Robe", "option_title": "38",
    "category": "Robes", "published": "oui", "is_kit": "non", "is_tracked": "oui", "tax_rate": "20", "cost": "12,50",
    "currency": "EUR", "updated_at": "14/06/2026 08:00", "removed": "non", "amount": "49,90", "compare_at": "59,90",
    "price_list": "base", "location": "lyon", "on_hand": "7", "available": "5", "first_name": "Anne",
    "last_name": "Durand", "email": "p{n}@example.fr", "phone": "0612345678", "street": "1 rue X", "city": "Lyon",
    "postcode": "69001", "country": "FR", "card": "C{n}", "loyalty_points": "120", "birth_date": "03/02/1980",
    "created_at": "01/01/2020", "state": "oui", "changed_at": "14/06/2026 08:00", "proof": "oui",
    "audience": "lettre",
}
KINDS = {
    "a word": WORD, "over-long": f"{WORD} " * 400, "control character": f"a{WORD}\u0007a", "turned": f"{WORD}\u202ea",
}
STAGED = {"published": "status"}
"""What stage calls by another name."""
FREE = {
    "key", "sku", "title", "option_title", "category", "first_name", "last_name", "phone", "street", "city", "postcode",
    "card",
}
"""Where a word is as good as any."""
UNCHECKED = {
    ("updated_at", ""): "a time that cannot be read orders nothing",
    ("created_at", ""): "an unknown age decides nothing",
    ("proof", ""): "what is no word for yes is no proof",
    ("country", ""): "an unknown country reads no phone without its prefix",
    ("category", ""): "decides nothing, is compared with nothing and never written",
    ("price_list", "a word"): "a list that the estate does not map is read and never compared",
    ("location", "a word"): "a place that the estate does not map is read and never compared",
    ("audience", "a word"): "an audience that the estate does not map is read and never compared",
    ("gtin", "a word"): "no barcode is a missing one: it identifies nothing",
    ("card", "over-long"): "a card that nobody else has identifies nobody",
}
"""Column and kind (or any), and why it needs no check."""


@dataclass(frozen=True)
class Spoilt:
    """One cell of one row."""

    number: int
    entity: str
    column: str
    kind: str

    def __str__(self) -> str:
        return f"{self.entity}.{self.column}: {self.kind}"

    @property
    def key(self) -> str:
        return f"K{self.number}"

    @property
    def is_of_key(self) -> bool:
        """Whether nobody can say any more which record it is."""
        return self.column in ("key", *PLACES.values()) and not self.why_unchecked

    @property
    def why_unchecked(self) -> str | None:
        return UNCHECKED.get((self.column, "")) or UNCHECKED.get((self.column, self.kind))


def columns(entity: str) -> list[str]:
    """All that the mapping of an entity may name."""
    table = Mapping.model_fields[entity].annotation.__args__[1]  # type: ignore[union-attr]
    return list(table.model_fields["columns"].annotation.model_fields)


def _cases() -> Iterator[Spoilt]:
    number = 0
    for entity in ENTITIES:
        for column in columns(entity):
            for kind in KINDS:
                if kind != "a word" or column not in FREE:
                    number += 1
                    yield Spoilt(number, entity, column, kind)


CASES = list(_cases())
ALIKE = range(90_000, 90_003)
"""Rows that nobody spoils."""


def _row(entity: str, number: int, spoilt: Spoilt | None = None) -> list[str]:
    cells = {name: SOUND[name].format(n=number) for name in columns(entity)}
    if spoilt:
        cells[spoilt.column] = KINDS[spoilt.kind]
    return list(cells.values())


def _mapping(form: str = "", **tables: list[str]) -> str:
    """Every column under our own name for it."""
    found = ['shop_id = "maison"', "settle_seconds = 0", "[defaults]", 'tax_basis = "gross"', form]
    for entity, names in tables.items():
        named = ", ".join(f'{name} = "{name}"' for name in names)
        found += [f"[{entity}.t]", f'file = "{entity}.*"', f"columns = {{ {named} }}"]
    return "\n".join(found)


@pytest.fixture(scope="module")
def staged() -> Iterator[duckdb.DuckDBPyConnection]:
    """All cases at once, in one file an entity."""
    drops = Drops(_mapping(**{entity: columns(entity) for entity in ENTITIES}))
    for entity in ENTITIES:
        rows = [_row(entity, case.number, case) for case in CASES if case.entity == entity]
        rows += [_row(entity, number) for number in ALIKE]
        drops.put(f"{entity}.csv", "\n".join(";".join(row) for row in [columns(entity), *rows]) + "\n")
    with open_warehouse() as con:
        asyncio.run(drops.stage(con))
        yield con


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_spoilt_is_kept_out_under_its_name(staged, case):
    found = staged.execute(
        "SELECT field, reason, value_class FROM quarantine.files WHERE entity = ? AND vendor_id = ?",
        [case.entity, case.key],
    ).fetchall()
    rows = staged.execute(f"SELECT count(*) FROM files.{case.entity} WHERE vendor_id = ?", [case.key]).fetchone()
    if case.why_unchecked:
        assert (found, rows) == ([], (1,)), "it is checked: take it out of UNCHECKED"
        return
    assert rows == (0,)
    if case.is_of_key:
        assert found == []
        return
    assert {field for field, _, _ in found} == {STAGED.get(case.column, case.column)}
    assert all(reason and "line" in value_class for _, reason, value_class in found)


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_row_whose_key_or_place_is_spoilt_is_kept_out_by_itself(staged, entity):
    kept_out = staged.execute(
        "SELECT count(DISTINCT vendor_id) FROM quarantine.files WHERE entity = ? AND field = 'id'", [entity]
    ).fetchone()
    assert kept_out == (sum(case.is_of_key for case in CASES if case.entity == entity),)


def test_what_is_sound_is_staged_and_no_value_is_written_down(staged):
    for entity in ENTITIES:
        keys = staged.execute(f"SELECT vendor_id FROM files.{entity} WHERE vendor_id LIKE 'K9%____'").fetchall()
        assert {key for (key,) in keys} >= {f"K{number}" for number in ALIKE}, entity
    for row in staged.execute("SELECT * FROM quarantine.files").fetchall():
        assert not [cell for cell in row if WORD in str(cell)]


def test_nothing_is_unchecked_that_is_not_there():
    assert {column for column, _ in UNCHECKED} <= {case.column for case in CASES}
    assert set(PLACES.values()) <= {case.column for case in CASES}


@pytest.fixture(scope="module", params=["csv", "xlsx", "parquet"])
def hostile(request: pytest.FixtureRequest) -> Iterator[tuple[str, duckdb.DuckDBPyConnection]]:
    """A file of each format with every hostile string as SKU, title, name and street."""
    tables = {
        "items": [["key", "sku", "title"], *([f"K{n}", f"{text}#{n}", text] for n, text in enumerate(HOSTILE))],
        "customers": [["key", "first_name", "street"], *([f"K{n}", text, text] for n, text in enumerate(HOSTILE))],
    }
    drops = Drops(_mapping(f'format = "{request.param}"', **{entity: rows[0] for entity, rows in tables.items()}))
    for entity, rows in tables.items():
        if request.param == "csv":
            target = io.StringIO(newline="")
            csv.writer(target, delimiter=";").writerows(rows)
            drops.put(f"{entity}.csv", target.getvalue())
        elif request.param == "xlsx":
            fits = [row if not any(NOT_XML.search(cell) for cell in row) else [row[0], "x", "x"] for row in rows]
            drops.put(f"{entity}.xlsx", texts_in_a_workbook(fits))
        else:
            held = pa.table(dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True)))
            target_of_bytes = io.BytesIO()
            pq.write_table(held, target_of_bytes)
            drops.put(f"{entity}.parquet", target_of_bytes.getvalue())
    with open_warehouse() as con:
        asyncio.run(drops.stage(con))
        yield request.param, con


def texts_in_a_workbook(rows: list[list[str]]) -> bytes:
    """Rows as texts, none of them a formula."""
    form = Items.model_validate({"file": "x", "columns": {"key": "key"}})
    return write_excel(rows[0], rows[1:], form, numbers=frozenset())


@pytest.mark.parametrize(("number", "text"), list(enumerate(HOSTILE)), ids=[ascii(text)[:40] for text in HOSTILE])
def test_a_hostile_string_comes_through_or_is_kept_out(hostile, number, text):
    form, con = hostile
    for entity, names in (("items", ["title"]), ("customers", ["first_name", "street"])):
        kept_out = con.execute(
            "SELECT count(*) FROM quarantine.files WHERE entity = ? AND vendor_id = ?", [entity, f"K{number}"]
        ).fetchone()
        told = con.execute(
            f"SELECT {', '.join(names)} FROM files.{entity} WHERE vendor_id = ?", [f"K{number}"]
        ).fetchall()
        if form == "xlsx" and NOT_XML.search(text):
            continue
        assert told == ([] if kept_out[0] else [tuple([text.strip()] * len(names))])
        if len(text) <= LONGEST:
            assert bool(kept_out[0]) == steers(text.strip()), "only what steers a screen is kept out"
