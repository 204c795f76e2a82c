"""Drops as retailers have them, read into records: separators, encodings, headers, numbers and dates of all kinds."""

import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from pipelines.channels.files import FILES
from pipelines.errors import FatalChannelError
from pipelines.tables import UNUSABLE
from tests.channels.drops import NOW, Drops, correction
from tests.conftest import open_warehouse

MAPPING = """
shop_id = "maison"
[items.t]
file = "articles*.csv"
currency = "EUR"
columns = { key = "Code article", gtin = ["EAN", "Code barre"], title = "Libellé", cost = "PA HT" }
"""
HEAD = "Code article;EAN;Libellé;PA HT\n"


def items(content: bytes | str, *, more: str = "", mapping: str = MAPPING) -> Drops:
    found = Drops(mapping.replace('currency = "EUR"', f'currency = "EUR"\n{more}', 1))
    found.put("articles.csv", content)
    return found


async def values(drops: Drops, entity: str = "items") -> list[dict[str, Any]]:
    """What each record says, with its key and line."""
    found = []
    for row in await drops.rows(entity):
        payload = msgspec.json.decode(row.payload)
        found.append({"key": payload["key"], "line": int(payload["line"]), **payload["values"]})
    return found


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("encoding", "said"), [
    ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"),
    ("iso-8859-15", "iso-8859-15"), ("utf-16", "utf-16"),
])
async def test_encodings_and_ends_of_lines(encoding, said, newline):
    text = f"{HEAD}0012;3760123456789;Crème brûlée à 5 €;12,50\n".replace("\n", newline)
    drops = items(text.encode(encoding), more=f'encoding = "{said}"')
    assert await values(drops) == [
        {"key": "0012", "line": 2, "gtin": "3760123456789", "title": "Crème brûlée à 5 €", "cost": "12,50"},
    ]


async def test_blank_lines_quotes_and_line_numbers():
    text = HEAD + '\n  ;;;\nA1;;"Robe ""été""; longue\nsur deux lignes";1\n\nA2;;Écran 24" noir;\n;;;\n'
    assert await values(items(text)) == [
        {"key": "A1", "line": 4, "title": 'Robe "été"; longue\nsur deux lignes', "cost": "1"},
        {"key": "A2", "line": 7, "title": 'Écran 24" noir'},
    ]


async def test_headers_are_found_whatever_their_case_and_blanks_and_others_do_not_matter():
    text = "Remise;\ufefflIBELLÉ ; code   ARTICLE;Code barre;Remise;PA\u00a0HT\n5;Robe;A1;0012345678905;6;1\n"
    [found] = await values(items(text))
    assert found == {"key": "A1", "line": 2, "title": "Robe", "gtin": "0012345678905", "cost": "1"}


@pytest.mark.parametrize(("more", "text", "line"), [
    ("header_row = 3", f"Export du 14/06\n\n{HEAD}A1;1;R;1\n", 4),
    ('delimiter = ","\nquote = "\'"', "Code article,EAN,Libellé,PA HT\nA1,1,'R',1\n", 2),
    ('delimiter = "\\t"', HEAD.replace(";", "\t") + "A1\t1\tR\t1\n", 2),
    ('delimiter = "|"\nquote = ""', HEAD.replace(";", "|") + "A1|1|R|1\n", 2),
    ("", HEAD.replace("HT\n", "HT\n") + "A1;1;R;1;;\n", 2),
])
async def test_other_shapes(more, text, line):
    assert await values(items(text, more=more)) == [{"key": "A1", "line": line, "gtin": "1", "title": "R", "cost": "1"}]


async def test_without_a_header_columns_go_by_their_number():
    mapping = """
shop_id = "maison"
[stock.t]
file = "stock.txt"
header_row = 0
rows = "none"
columns = { key = "#1", location = "#2", on_hand = "#4" }
"""
    drops = Drops(mapping)
    drops.put("stock.txt", "A1;lyon;x;7\nA2;nice;x;0\n")
    assert await values(drops, "stock") == [
        {"key": "A1", "line": 1, "location": "lyon", "on_hand": "7"},
        {"key": "A2", "line": 2, "location": "nice", "on_hand": "0"},
    ]
    assert [row.id for row in await drops.rows("stock")] == ["A1|lyon", "A2|nice"]


async def test_a_key_that_comes_twice_is_kept_out_and_the_same_line_twice_is_one():
    text = HEAD + "A1;1;Robe;1\nA2;2;Jupe;1\nA1;1;Robe;2\nA2;2;Jupe;1\n;3;Sans code;1\n"
    drops = items(text)
    with open_warehouse() as con:
        await drops.stage(con)
        assert con.execute("SELECT vendor_id FROM files.items").fetchall() == [("A2",)]
        rows = con.execute("SELECT vendor_id, field, value_class FROM quarantine.files ORDER BY ALL").fetchall()
    assert rows[:2] == [
        ("A1", "key", "duplicate, articles.csv line 2"), ("A1", "key", "duplicate, articles.csv line 4"),
    ]
    assert rows[2][0].startswith(UNUSABLE)


async def test_an_address_that_is_the_key_is_told_to_nobody():
    mapping = """
shop_id = "maison"
[consents.t]
file = "optin.csv"
audience = "lettre"
columns = { key = "E-mail", email = "E-mail", state = "Optin" }
"""
    drops = Drops(mapping)
    drops.put("optin.csv", "E-mail;Optin\nAnne@example.fr;oui\nb@example;oui\n")
    rows = await drops.rows("consents")
    assert not [row.id for row in rows if "@" in row.id]
    with open_warehouse() as con:
        await drops.stage(con)
        assert con.execute("SELECT state, email FROM files.consents").fetchall() == [("yes", "Anne@example.fr")]
        assert not [row for row in con.execute("SELECT * FROM quarantine.files").fetchall() if "@" in str(row)]


async def test_places_come_from_the_names_of_files_and_the_newest_of_each_counts():
    drops = Drops("""
shop_id = "maison"
[stock.t]
file = "in/stock_{location}_*.csv"
columns = { key = "Code", on_hand = "Qte" }
""")
    drops.put("in/stock_lyon_1.csv", "Code;Qte\nA1;1\n", at=NOW - timedelta(hours=5))
    drops.put("in/stock_lyon_2.csv", "Code;Qte\nA1;2\n", at=NOW - timedelta(hours=4))
    drops.put("in/stock_nice_1.csv", "Code;Qte\nA1;3\n", at=NOW - timedelta(hours=9))
    drops.put("in/.stock_nice_2.csv", "Code;Qte\nA1;4\n")
    drops.put("in/stock_nice_2.csv.filepart", "Code;Qte\nA1;4\n")
    found = {row.id: msgspec.json.decode(row.payload)["values"]["on_hand"] for row in await drops.rows("stock")}
    assert found == {"A1|lyon": "2", "A1|nice": "3"}


async def test_changes_are_laid_over_the_whole_file_in_the_order_of_their_times():
    drops = Drops("""
shop_id = "maison"
[items.t]
file = "tout_*.csv"
changes = "maj_*.csv"
columns = { key = "Code", title = "Nom", removed = "Supprimé" }
""")
    head = "Code;Nom;Supprimé\n"
    drops.put("maj_0.csv", head + "A1;trop vieux;\n", at=NOW - timedelta(hours=9))
    drops.put("tout_1.csv", head + "A1;un;\nA2;deux;\nA3;trois;\nA3;drei;\n", at=NOW - timedelta(hours=8))
    drops.put("maj_2.csv", head + "A1;eins;\nA2;;oui\n", at=NOW - timedelta(hours=3))
    drops.put("maj_1.csv", head + "A1;one;\nA3;three;\nA4;four;\n", at=NOW - timedelta(hours=5))
    drops.put("maj_3.csv", head, at=NOW - timedelta(hours=2))
    with open_warehouse() as con:
        await drops.stage(con)
        asked = "SELECT vendor_id, title, write_context->>'$.file' FROM files.items ORDER BY ALL"
        found = con.execute(asked).fetchall()
        assert found == [("A1", "eins", "maj_2.csv"), ("A3", "three", "maj_1.csv"), ("A4", "four", "maj_1.csv")]
        assert con.execute("SELECT * FROM quarantine.files").fetchall() == []


def workbook(rows: list[list[Any]], *, sheet: str = "Articles", zeros: str = "") -> bytes:
    book = Workbook()
    book.active.title = "Lisez-moi"
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    if zeros:
        page[zeros].number_format = "0000000000000"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


EXCEL = """
shop_id = "maison"
[items.t]
file = "articles.xlsx"
format = "xlsx"
sheet = "Articles"
currency = "EUR"
columns = { key = "Code", gtin = "EAN", title = "Nom", cost = "PA", updated_at = "Maj", is_kit = "Lot" }
"""


async def test_excel_with_numbers_as_texts_and_texts_as_numbers():
    rows = [
        ["Code", "EAN", "Nom", "PA", "Maj", "Lot"],
        [12, 376012345678, "Robe", 12.5, datetime(2025, 12, 31, 14, 5), True],
        ["0012", "0376012345678", " Jupe ", "12,50", "31/12/2025", "non"],
        [None, None, None, None, None, None],
        ["A3", None, 38, 1234567, date(2025, 12, 31), None],
        ["A4", "#N/A", "x", 0.1 + 0.2, None, None],
    ]
    drops = Drops(EXCEL)
    drops.put("articles.xlsx", workbook(rows, zeros="B2"))
    assert await values(drops) == [
        {"key": "12", "line": 2, "gtin": "0376012345678", "title": "Robe", "cost": "12,5",
         "updated_at": "2025-12-31T14:05:00", "is_kit": "true"},
        {"key": "0012", "line": 3, "gtin": "0376012345678", "title": "Jupe", "cost": "12,50",
         "updated_at": "31/12/2025", "is_kit": "non"},
        {"key": "A3", "line": 5, "title": "38", "cost": "1234567", "updated_at": "2025-12-31"},
        {"key": "A4", "line": 6, "gtin": "#N/A", "title": "x", "cost": "0,3"},
    ]


async def test_parquet_keeps_its_own_types_as_texts():
    table = pa.table({
        "Code": ["0012", "A2"], "PA": pa.array([Decimal("12.50"), None], pa.decimal128(10, 2)),
        "EAN": [376012345678, None], "Tags": [["x"], []], "Nom": ["Robe", None],
    })
    target = io.BytesIO()
    pq.write_table(table, target)
    drops = Drops("""
shop_id = "maison"
[items.t]
file = "articles.parquet"
format = "parquet"
currency = "EUR"
columns = { key = "Code", gtin = "EAN", title = "Nom", cost = "PA" }
""")
    drops.put("articles.parquet", target.getvalue())
    assert await values(drops) == [
        {"key": "0012", "line": 1, "gtin": "376012345678", "title": "Robe", "cost": "12,5"}, {"key": "A2", "line": 2},
    ]


@pytest.mark.parametrize("hostile", [
    "'; DROP TABLE items; --", "\x00", "\u202egnp.exe", "😀" * 50, '=HYPERLINK("http://x")', "\\u0000", '{"a": 1}',
    "a\tb", "\ud7ff",
])
async def test_hostile_texts_are_kept_as_they_are_and_cost_at_most_their_row(hostile):
    quoted = '"' + hostile.replace('"', '""') + '"'
    drops = items(f"{HEAD}A1;1;{quoted};1\nA2;2;Jupe;1\n")
    with open_warehouse() as con:
        await drops.stage(con)
        kept = dict(con.execute("SELECT vendor_id, title FROM files.items").fetchall())
        out = [row[0] for row in con.execute("SELECT vendor_id FROM quarantine.files").fetchall()]
    assert kept["A2"] == "Jupe"
    assert (kept.get("A1") == hostile) != (out == ["A1"])


async def test_what_is_not_mapped_has_no_records_and_says_so():
    drops = items(HEAD + "A1;1;Robe;1\n")
    endpoint = next(e for e in FILES.endpoints if e.name == "prices")
    pages = [page async for page in endpoint.read(drops.session, None)]
    assert [(page.total, list(page.rows)) for page in pages] == [(0, [])]


@pytest.mark.parametrize(("text", "message"), [
    ("Code;EAN;Libellé;PA HT\nA1;1;R;1\n", "articles.csv line 1: no column 'Code article' for key among its 4"),
    ("Code article,EAN,Libellé,PA HT\nA1,1,R,1\n", "is ';' the delimiter?"),
    ("Code article;EAN;EAN;Libellé;PA HT\nA1;1;1;R;1\n", "'EAN' or 'Code barre' for gtin stands in 2 columns"),
    ("Code article;EAN;Code barre;Libellé;PA HT\nA1;1;1;R;1\n", "name the right one by its number, as #3"),
])
async def test_a_header_that_is_not_the_mappings_is_told(text, message):
    with pytest.raises(FatalChannelError) as caught:
        await items(text).rows("items")
    assert message in str(caught.value)


async def test_two_entities_may_come_from_one_file():
    drops = items(HEAD + "A1;1;Robe;1\n", mapping=MAPPING + """
[prices.t]
file = "articles*.csv"
currency = "EUR"
columns = { key = "Code article", amount = "PA HT" }
""")
    assert [row.id for row in await drops.rows("prices")] == ["A1|base"]
    assert [row.id for row in await drops.rows("items")] == ["A1"]


@pytest.mark.parametrize(("more", "states"), [
    ("", ["no", "unknown", "unknown", "unknown", "unknown", "yes"]),
    ('no = ["non", "faux", "0"]', ["no", "no", None, "no", "unknown", "yes"]),
])
async def test_a_box_that_nobody_ticked_is_no_withdrawal_unless_the_mapping_says_so(more, states):
    drops = Drops(f"""
shop_id = "maison"
[consents.t]
file = "optin.csv"
audience = "lettre"
{more}
columns = {{ key = "No", email = "Mail", state = "Optin", removed = "Parti" }}
""")
    words = ["non", "0", "FALSE", "faux", "", "1"]
    lines = [f"{number};{number}@example.fr;{word};0" for number, word in enumerate(words)]
    drops.put("optin.csv", "\n".join(["No;Mail;Optin;Parti", *lines, ""]))
    with open_warehouse() as con:
        await drops.stage(con)
        staged = dict(con.execute("SELECT vendor_id, state FROM files.consents").fetchall())
        kept_out = con.execute("SELECT vendor_id, field, value_class FROM quarantine.files").fetchall()
    assert [staged.get(str(number)) for number in range(len(words))] == states
    assert kept_out == ([("2", "state", "unknown value, optin.csv line 4")] if None in states else [])
    asked = [correction("consents", "state", str(number), "no", sub="lettre") for number in range(len(words))]
    told = [state if word else None for state, word in zip(states, words, strict=True)]
    assert [reading.value for reading in await drops.read_back(asked)] == told
