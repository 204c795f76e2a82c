"""Corrections as files: in the shape of the drops, whole or not at all, the same again when sent again."""

import io
from datetime import datetime, time, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from pipelines.channels.files.shapes import runs
from pipelines.errors import FatalChannelError
from pipelines.model import Outcome
from tests.channels.drops import NOW, Drops, correction
from tests.channels.test_files_reads import workbook

PRICES = """
shop_id = "maison"
[prices.t]
file = "prix.csv"
encoding = "cp1252"
thousands = "."
currency = "EUR"
columns = { key = "Code", amount = "Prix TTC", compare_at = "Prix barré", price_list = "Tarif" }
"""
HEAD = "Libellé;Code;Tarif;Prix TTC;Prix barré\r\n"
DROP = (HEAD + 'Été;A1;base;"1.234,50";\r\nRobe;A2;base;49,90;59,90\r\nJupe;A3;pro;10,00;\r\n').encode("cp1252")
CUSTOMERS = """
shop_id = "maison"
[customers.t]
file = "clients.csv"
encoding = "cp1252"
rows = "{rows}"
columns = {{ key = "No", first_name = "Prénom", last_name = "Nom", phone = "Tél", street = "Rue", city = "Ville" }}
"""
PEOPLE = "No;Prénom;Nom;Tél;Rue;Ville;Note\n0012;Anne;Durand;;1 rue X;Lyon;n1\n13;Zoé;Petit;;2 rue Y;Nice;n2\n"


def prices(mapping: str = PRICES, drop: bytes = DROP) -> Drops:
    found = Drops(mapping)
    found.put("prix.csv", drop)
    return found


def customers(rows: str = "changed", more: str = "") -> Drops:
    found = Drops(CUSTOMERS.format(rows=rows).replace("[customers.t]\n", f"[customers.t]\n{more}\n"))
    found.put("clients.csv", PEOPLE.encode("cp1252"))
    return found


def codes(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(str(outcome.status), outcome.code) for outcome in outcomes]


async def test_a_file_holds_key_and_changed_columns_in_the_shape_of_the_drop():
    drops = prices()
    asked = [
        correction("prices", "amount", "A1", "123400", sub="base"),
        correction("prices", "amount", "A3", "1050", sub="pro"),
    ]
    outcomes = await drops.write(asked, "abcdef0123456789" * 4)
    assert codes(outcomes) == [("applied", "filed")] * 2
    [name] = drops.out()
    assert name == "prices.t.2026-06-14.1-main.abcdef0123456789.amount.csv"
    assert outcomes[0].request_id == name
    assert drops.get(f"out/{name}").decode("cp1252") == (
        "Code;Tarif;Prix TTC\r\nA1;base;1234,00\r\nA3;pro;10,50\r\n"
    )


async def test_each_set_of_columns_has_a_file_so_that_no_cell_says_what_nobody_asked():
    drops = prices()
    await drops.write([
        correction("prices", "amount", "A1", "123400", sub="base"),
        correction("prices", "amount", "A2", "4500", sub="base"),
        correction("prices", "compare_at", "A2", None, sub="base"),
    ])
    assert [name.split(".", 5)[5] for name in drops.out()] == ["amount.compare_at.csv", "amount.csv"]
    both, amount = (drops.get(f"out/{name}").decode("cp1252") for name in drops.out())
    assert both == "Code;Tarif;Prix TTC;Prix barré\r\nA2;base;45,00;\r\n"
    assert amount == "Code;Tarif;Prix TTC\r\nA1;base;1234,00\r\n"


async def test_whole_rows_carry_the_rest_as_it_was_dropped():
    drops = customers("whole")
    await drops.write([
        correction("customers", "street", "0012", "3 quai Z"), correction("customers", "city", "0012", "Metz"),
    ])
    [name] = drops.out()
    assert drops.get(f"out/{name}").decode("cp1252") == (
        "No;Prénom;Nom;Tél;Rue;Ville;Note\n0012;Anne;Durand;;3 quai Z;Metz;n1\n"
    )


async def test_whole_rows_do_not_take_back_what_an_earlier_file_asks_for():
    drops = customers("whole")
    await drops.write([correction("customers", "city", "0012", "Metz")], "1" * 64)
    drops.put(f"out/{drops.out()[0]}", drops.get(f"out/{drops.out()[0]}"), at=NOW)
    drops.open()
    await drops.write([correction("customers", "street", "0012", "3 quai Z")], "2" * 64)
    drops.put(f"out/{drops.out()[1]}", drops.get(f"out/{drops.out()[1]}"), at=NOW)
    assert drops.get(f"out/{drops.out()[1]}").decode("cp1252").endswith("\n0012;Anne;Durand;;3 quai Z;Metz;n1\n")
    drops.put("clients.csv", PEOPLE.encode("cp1252"), at=NOW + timedelta(hours=9))
    drops.open()
    await drops.write([correction("customers", "last_name", "0012", "Dupont")], "3" * 64)
    assert drops.get(f"out/{drops.out()[2]}").decode("cp1252").endswith("\n0012;Anne;Dupont;;1 rue X;Lyon;n1\n")


def aged(drops: Drops, name: str, at: datetime = NOW) -> None:
    """A file of ours, made at a moment."""
    drops.put(f"out/{name}", drops.get(f"out/{name}"), at=at)
    drops.open()


@pytest.mark.parametrize(("first", "second"), [("St. Malo", "St"), ("lyon", "lyon 2"), ("a@b", "a"), ("a.b", "a-b")])
async def test_whole_rows_of_one_place_are_not_laid_over_those_of_another(first, second):
    drops = Drops("""
shop_id = "maison"
[stock.t]
file = "web_{location}.csv"
rows = "whole"
columns = { key = "Code", available = "Dispo" }
""")
    drops.put(f"web_{first}.csv", "Code;Dispo;Note\nA1;1;one\n")
    drops.put(f"web_{second}.csv", "Code;Dispo;Note\nA1;2;other\n")
    await drops.write([correction("stock", "available", "A1", "5", sub=first)], "1" * 64)
    [name] = drops.out()
    aged(drops, name)
    await drops.write([correction("stock", "available", "A1", "6", sub=second)], "2" * 64)
    [other] = set(drops.out()) - {name}
    assert drops.get(f"out/{other}").decode() == "Code;Dispo;Note\nA1;6;other\n"


async def test_whole_rows_of_one_table_are_not_laid_over_those_of_another():
    mapping = """
shop_id = "maison"
[customers.c]
file = "c.csv"
rows = "whole"
columns = { key = "No", city = "Ville" }
[customers."c.2"]
file = "d.csv"
rows = "whole"
columns = { key = "No", city = "Ville" }
"""
    drops = Drops(mapping)
    drops.put("c.csv", "No;Ville;Note\n1;Lyon;c\n")
    drops.put("d.csv", "No;Ville;Note\n2;Nice;d\n")
    await drops.write([correction("customers", "city", "2", "Metz", table="c.2")], "1" * 64)
    [name] = drops.out()
    drops.put(f"out/{name}", "No;Ville;Note\n1;Metz;d\n", at=NOW)
    drops.open()
    await drops.write([correction("customers", "city", "1", "Brest", table="c")], "2" * 64)
    [other] = set(drops.out()) - {name}
    assert drops.get(f"out/{other}").decode() == "No;Ville;Note\n1;Brest;c\n"


async def test_a_row_that_was_dropped_since_is_not_taken_back_by_a_file_that_waits():
    drops = customers("whole", more='changes = "maj.csv"')
    await drops.write([correction("customers", "city", "0012", "Metz"), correction("customers", "city", "13", "Brest")])
    [name] = drops.out()
    aged(drops, name)
    head = PEOPLE.splitlines()[0]
    drops.put("maj.csv", f"{head}\n0012;Anna;Durand;;1 rue X;Lyon;n1\n".encode("cp1252"), at=NOW + timedelta(hours=1))
    drops.open()
    await drops.write([correction("customers", "last_name", key, "Roux") for key in ("0012", "13")], "2" * 64)
    [other] = set(drops.out()) - {name}
    assert drops.get(f"out/{other}").decode("cp1252").splitlines()[1:] == [
        "0012;Anna;Roux;;1 rue X;Lyon;n1", "13;Zoé;Roux;;2 rue Y;Brest;n2",
    ]


async def test_whole_rows_of_drops_with_different_headers_are_files_of_their_own_each_night():
    """A change that was exported with a column less, say: its files and the others' wait beside each other."""
    drops = customers("whole", more='changes = "maj.csv"')
    drops.put("maj.csv", "No;Prénom;Nom;Tél;Rue;Ville\n13;Zoé;Petit;;2 rue Y;Nice\n".encode("cp1252"), at=NOW)
    for night, (name, value) in enumerate([("city", "Metz"), ("last_name", "Roux")], start=1):
        asked = [correction("customers", name, key, value) for key in ("0012", "13")]
        before = set(drops.out())
        assert codes(await drops.write(asked, str(night) * 64)) == [("applied", "filed")] * 2
        made = sorted(set(drops.out()) - before)
        lines = sorted(drops.get(f"out/{one}").decode("cp1252").splitlines()[1] for one in made)
        for one in made:
            aged(drops, one, NOW + timedelta(hours=night))
        assert len(made) == 2
    assert lines == ["0012;Anne;Roux;;1 rue X;Metz;n1", "13;Zoé;Roux;;2 rue Y;Metz"]


async def test_a_row_that_was_dropped_since_with_other_columns_is_written():
    drops = customers("whole", more='changes = "maj.csv"')
    await drops.write([correction("customers", "city", "0012", "Metz")], "1" * 64)
    [name] = drops.out()
    aged(drops, name)
    drops.put("maj.csv", "No;Prénom;Nom;Tél;Rue;Ville\n0012;Anna;Durand;;1 rue X;Lyon\n".encode("cp1252"),
              at=NOW + timedelta(hours=1))
    drops.open()
    asked = [correction("customers", "last_name", key, "Roux") for key in ("0012", "13")]
    assert codes(await drops.write(asked, "2" * 64)) == [("applied", "filed")] * 2
    made = [drops.get(f"out/{one}").decode("cp1252").splitlines()[1] for one in set(drops.out()) - {name}]
    assert sorted(made) == ["0012;Anna;Roux;;1 rue X;Lyon", "13;Zoé;Roux;;2 rue Y;Nice;n2"]


async def test_an_out_with_a_slash_is_the_same_folder():
    drops = Drops(CUSTOMERS.format(rows="whole").replace("[customers.t]", 'out = "./out/"\n[customers.t]'))
    drops.put("clients.csv", PEOPLE.encode("cp1252"))
    await drops.write([correction("customers", "city", "0012", "Metz")], "1" * 64)
    aged(drops, drops.out()[0])
    await drops.write([correction("customers", "street", "0012", "3 quai Z")], "2" * 64)
    assert drops.get(f"out/{drops.out()[1]}").decode("cp1252").endswith("\n0012;Anne;Durand;;3 quai Z;Metz;n1\n")


async def test_nothing_is_written_from_a_table_whose_rows_are_none():
    drops = customers("none")
    assert codes(await drops.write([correction("customers", "city", "0012", "Metz")])) == [("rejected", "ROWS_NONE")]
    assert drops.out() == []


async def test_sent_again_it_is_the_same_file_again():
    drops = prices()
    asked = [correction("prices", "amount", "A1", "123400", sub="base")]
    await drops.write(asked)
    [name] = drops.out()
    first = drops.get(f"out/{name}")
    drops.open()
    assert codes(await drops.write(asked)) == [("applied", "filed")]
    assert (drops.out(), drops.get(f"out/{name}")) == ([name], first)
    await drops.write(asked, "another attempt" * 8)
    assert len(drops.out()) == 2


async def test_a_file_is_there_whole_or_not_at_all(monkeypatch):
    drops = prices()
    moved: list[tuple[str, str]] = []

    def full(path: str, content: bytes) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(drops.folder, "pipe_file", full)
    with pytest.raises(Exception, match="prices.t.*OSError"):
        await drops.write([correction("prices", "amount", "A1", "123400", sub="base")])
    assert drops.out() == []
    monkeypatch.undo()
    drops.open()  # this one rests: who fails call after call is left alone for a while
    move = drops.folder.mv
    monkeypatch.setattr(drops.folder, "mv", lambda old, new: moved.append((old, new)) or move(old, new))
    await drops.write([correction("prices", "amount", "A1", "123400", sub="base")])
    [name] = drops.out()
    assert moved == [(f"out/.{name}.part", f"out/{name}")]


async def test_where_drops_have_markers_ours_have_them_too_and_trailers():
    drops = prices(PRICES.replace("[prices.t]\n", '[prices.t]\nmarker = ".ok"\ntrailer = "FIN"\n'),
                   DROP + "FIN;3\r\n".encode("cp1252"))
    drops.put("prix.csv.ok", "")
    await drops.write([correction("prices", "amount", "A1", "123400", sub="base")])
    name, marker = drops.out()
    assert marker == f"{name}.ok"
    assert drops.get(f"out/{name}").decode("cp1252").endswith("A1;base;1234,00\r\nFIN;1;\r\n")


async def test_a_file_that_was_left_is_known_by_its_name_and_gets_its_marker(monkeypatch):
    drops = prices(PRICES.replace("[prices.t]\n", '[prices.t]\nmarker = ".ok"\n'))
    drops.put("prix.csv.ok", "")
    asked = [
        correction("prices", "amount", "A1", "123400", sub="base"),
        correction("prices", "compare_at", "A2", None, sub="base"),
        correction("prices", "amount", "A9", "1", sub="base"),
    ]
    assert codes(await drops.asked(asked)) == [("skipped", "not_applied")] * 2 + [("stale", "gone")]
    assert drops.out() == []
    move = drops.folder.mv

    def breaks(old: str, new: str) -> None:
        if new.endswith(".ok"):
            raise OSError("No space left on device")
        move(old, new)

    monkeypatch.setattr(drops.folder, "mv", breaks)
    with pytest.raises(Exception, match="OSError"):
        await drops.write(asked)
    monkeypatch.undo()
    [name] = [name for name in drops.out() if not name.startswith(".")]
    drops.open()
    outcomes = await drops.asked(asked)
    assert codes(outcomes) == [("applied", "filed"), ("skipped", "not_applied"), ("stale", "gone")]
    assert [found for found in drops.out() if not found.startswith(".")] == [name, f"{name}.ok"]
    assert codes(await drops.asked(asked, "another" * 9))[0] == ("skipped", "not_applied")
    assert codes(await drops.write(asked))[:2] == [("applied", "filed")] * 2


async def test_what_cannot_be_written_is_refused_by_itself():
    drops = customers()
    outcomes = await drops.write([
        correction("customers", "first_name", "0012", '=HYPERLINK("http://x")'),
        correction("customers", "last_name", "0012", "Łódź"),
        correction("customers", "city", "0012", " "),
        correction("customers", "postcode", "0012", "69001"),
        correction("customers", "phone", "0012", "+33612345678"),
        correction("customers", "phone", "99", "+33612345678"),
    ])
    assert codes(outcomes) == [
        ("rejected", "FORMULA"), ("rejected", "NOT_WRITABLE"), ("rejected", "BLANK"), ("rejected", "NO_COLUMN"),
        ("applied", "filed"), ("stale", "gone"),
    ]
    assert not [outcome for outcome in outcomes if "HYPER" in outcome.message or "Łódź" in outcome.message]
    [name] = drops.out()
    assert drops.get(f"out/{name}").decode("cp1252") == "No;Tél\n0012;+33612345678\n"


async def test_where_only_a_program_reads_the_file_a_formula_is_a_text_like_any():
    drops = customers(more='formulas = "keep"')
    outcomes = await drops.write([correction("customers", "first_name", "0012", "=1+1;")])
    assert codes(outcomes) == [("applied", "filed")]
    assert drops.get(f"out/{drops.out()[0]}").decode("cp1252") == 'No;Prénom\n0012;"=1+1;"\n'


@pytest.mark.parametrize("text", [
    '=HYPERLINK("http://x","y")', "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(1)", "\t=1", "\r=1", "  =1", "a\n=1",
    "\u00a0=1", "+33=1",
])
def test_what_a_spreadsheet_runs(text):
    assert runs(text)


@pytest.mark.parametrize("text", ["-12,50", "+33 6 12 34 56 78", "1+1", "Robe -10 %", "l'été", "(0)1", "a=b", "-5"])
def test_what_a_spreadsheet_leaves_alone(text):
    assert not runs(text)


async def test_a_text_without_quotes_cannot_hold_a_delimiter():
    drops = customers(more='quote = ""')
    outcomes = await drops.write([
        correction("customers", "city", "13", "a;b"), correction("customers", "street", "13", "a"),
    ])
    assert codes(outcomes) == [("rejected", "NOT_WRITABLE"), ("applied", "filed")]


async def test_a_permission_is_lowered_in_the_files_own_word_and_never_raised():
    drops = Drops("""
shop_id = "maison"
[consents.t]
file = "optin.csv"
audience = "lettre"
no = ["stop", "non"]
columns = { key = "Mail", email = "Mail", state = "Optin" }
""")
    drops.put("optin.csv", "Mail;Optin\nanne@example.fr;oui\n")
    [key] = [row.id.split("|")[0] for row in await drops.rows("consents")]
    asked = [correction("consents", "state", key, state, sub="lettre") for state in ("no", "yes", "pending")]
    assert codes(await drops.write(asked[:1])) == [("applied", "filed")]
    assert codes(await drops.write(asked[1:], "x" * 64)) == [("rejected", "RAISE_REFUSED")] * 2
    [name] = drops.out()
    assert drops.get(f"out/{name}").decode() == "Mail;Optin\nanne@example.fr;stop\n"
    assert (await drops.read_back(asked[:1]))[0].value == "yes"


OPTIN = """
shop_id = "maison"
[defaults]
{defaults}
[consents.t]
file = "optin.csv"
audience = "lettre"
{own}
columns = {{ key = "No", email = "Mail", state = "Optin" }}
"""


@pytest.mark.parametrize(("defaults", "own", "held", "denied"), [
    ("", "", "1", "0"), ("", "", "true", "false"), ("", "", "TRUE", "FALSE"), ("", "", "Vrai", "Faux"),
    ("", "", "oui", "non"), ("", "", "OUI", "NON"), ("", "", "Yes", "No"), ("", "", "O", "N"), ("", "", "x", "non"),
    ("", "", "en attente", "non"),
    ('no = ["0"]', "", "1", "0"), ('no = ["0"]', "", "oui", "0"), ('no = ["0"]', "", "pending", "0"),
    ('no = ["stop", "0"]', "", "oui", "stop"), ("", 'no = ["stop", "non"]', "oui", "stop"),
    ("", 'no = ["stop", "0"]', "1", "0"), ("", 'no = ["stop"]', "1", "stop"),
])
async def test_a_permission_is_lowered_to_the_word_beside_the_one_that_is_held(defaults, own, held, denied):
    drops = Drops(OPTIN.format(defaults=defaults, own=own))
    drops.put("optin.csv", f"No;Mail;Optin\n7;anne@example.fr;{held}\n")
    seen = "pending" if held in ("en attente", "pending") else "yes"
    asked = [correction("consents", "state", "7", "no", sub="lettre", observed=seen)]
    before = [reading.value for reading in await drops.read_back(asked)]
    assert codes(await drops.write(asked)) == [("applied", "filed")]
    assert drops.get(f"out/{drops.out()[0]}").decode() == f"No;Optin\n7;{denied}\n"
    drops.put("optin.csv", f"No;Mail;Optin\n7;anne@example.fr;{denied}\n", at=NOW)
    drops.open()
    assert before == [seen]
    assert [reading.value for reading in await drops.read_back(asked)] == ["no"], "the opt-out shows where it is in"


async def test_a_box_that_nobody_ticked_is_no_opt_out_of_ours_where_none_was_planned_on_a_yes():
    drops = Drops(OPTIN.format(defaults="", own=""))
    drops.put("optin.csv", "No;Mail;Optin\n7;anne@example.fr;0\n")
    asked = [correction("consents", "state", "7", "no", sub="lettre", observed=seen) for seen in (None, "unknown")]
    assert [reading.value for reading in await drops.read_back(asked)] == ["unknown"] * 2


async def test_a_barcode_goes_out_as_it_is_printed():
    drops = Drops('shop_id = "maison"\n[items.t]\nfile = "a.csv"\ncolumns = { key = "Code", gtin = "EAN" }\n')
    drops.put("a.csv", "Code;EAN\nA1;\nA2;x\n")
    gtins = {"A1": "03760123456785", "A2": "00000012345670"}
    asked = [correction("items", "gtin", key, gtin) for key, gtin in gtins.items()]
    await drops.write(asked)
    assert drops.get(f"out/{drops.out()[0]}").decode() == "Code;EAN\nA1;3760123456785\nA2;12345670\n"


async def test_a_file_of_one_place_goes_out_as_one_of_that_place():
    drops = Drops("""
shop_id = "maison"
[stock.t]
file = "web_{location}.csv"
columns = { key = "Code", available = "Dispo" }
""")
    drops.put("web_lyon.csv", "Code;Dispo\nA1;1\n")
    drops.put("web_nice.csv", "Code;Dispo\nA1;2\n")
    asked = [correction("stock", "available", "A1", "5", sub=place) for place in ("lyon", "nice")]
    await drops.write(asked)
    assert [name.split(".")[1] for name in drops.out()] == ["t@lyon", "t@nice"]
    assert [reading.value for reading in await drops.read_back(asked)] == ["1", "2"]


async def test_excel_goes_out_as_texts_and_numbers():
    drops = Drops("""
shop_id = "maison"
[prices.t]
file = "prix.xlsx"
format = "xlsx"
sheet = "Articles"
header_row = 2
currency = "EUR"
columns = { key = "Code", amount = "Prix" }
[customers.c]
file = "clients.xlsx"
format = "xlsx"
sheet = "Articles"
formulas = "keep"
columns = { key = "No", last_name = "Nom" }
""")
    drops.put("prix.xlsx", workbook([["Tarif"], ["Code", "Prix"], ["0012", 12.5]]))
    drops.put("clients.xlsx", workbook([["No", "Nom"], ["0012", "Durand"]]))
    await drops.write([correction("prices", "amount", "0012", "1300", sub="base")])
    await drops.write([correction("customers", "last_name", "0012", "=1+1")])
    customer, price = (load_workbook(io.BytesIO(drops.get(f"out/{name}")))["Articles"] for name in drops.out())
    assert [[cell.value for cell in row] for row in price.iter_rows(min_row=2)] == [["Code", "Prix"], ["0012", 13]]
    assert (price["B3"].data_type, price["B3"].number_format, price["A3"].data_type) == ("n", "0.00", "s")
    assert (customer["B2"].value, customer["B2"].data_type) == ("=1+1", "s")


async def test_parquet_goes_out_in_the_columns_own_types():
    drops = Drops("""
shop_id = "maison"
[stock.t]
file = "stock.parquet"
format = "parquet"
location = "web"
columns = { key = "Code", available = "Dispo" }
""")
    target = io.BytesIO()
    pq.write_table(pa.table({"Code": ["0012"], "Nom": ["x"], "Dispo": pa.array([1], pa.int16())}), target)
    drops.put("stock.parquet", target.getvalue())
    asked = [correction("stock", "available", "0012", "7", sub="web")]
    await drops.write(asked)
    assert codes(await drops.write([correction("stock", "available", "0012", "70000", sub="web")], "x" * 64)) == [
        ("rejected", "NOT_WRITABLE"),
    ]
    [name] = drops.out()
    written = pq.read_table(io.BytesIO(drops.get(f"out/{name}")))
    assert (written.to_pylist(), written.schema.field("Dispo").type) == ([{"Code": "0012", "Dispo": 7}], pa.int16())


async def test_excel_rows_that_are_written_whole_keep_the_types_that_nobody_corrects():
    drops = Drops("""
shop_id = "maison"
[customers.t]
file = "clients.xlsx"
format = "xlsx"
sheet = "Articles"
rows = "whole"
columns = { key = "No", city = "Ville", last_name = "Nom" }
""")
    held = [7, "Lyon", "Durand", datetime(2026, 6, 14), 12.5, 3, "0012", True, None, "=1+1", "12,50", time(9, 30)]
    content = workbook([["No", "Ville", "Nom", *"abcdefghi"], held])
    book = load_workbook(io.BytesIO(content))
    page = book["Articles"]
    page["A2"].number_format, page["D2"].number_format, page["E2"].number_format = "0000", "dd/mm/yyyy", "0.00"
    page["J2"].data_type = "s"
    target = io.BytesIO()
    book.save(target)
    drops.put("clients.xlsx", target.getvalue())
    await drops.write([correction("customers", "city", "0007", "Metz")], "1" * 64)
    aged(drops, drops.out()[0])
    await drops.write([correction("customers", "last_name", "0007", "Roux")], "2" * 64)
    for name, row in zip(drops.out(), [[7, "Metz", "Durand", *held[3:]], [7, "Metz", "Roux", *held[3:]]], strict=True):
        page = load_workbook(io.BytesIO(drops.get(f"out/{name}")))["Articles"]
        assert [cell.value for cell in page[2]] == row
        assert [cell.data_type for cell in page[2]] == ["n", "s", "s", "d", "n", "n", "s", "b", "n", "s", "s", "d"]
        assert [page[place].number_format for place in ("A2", "D2", "E2")] == ["0000", "dd/mm/yyyy", "0.00"]


SHEET = """
shop_id = "maison"
[customers.t]
file = "clients.xlsx"
format = "xlsx"
sheet = "Articles"
rows = "whole"
header_row = {header_row}
columns = {{ key = "#1", city = "#2", last_name = "#3"{more} }}
"""


@pytest.mark.parametrize("more", ["", ', phone = "#4"'])
async def test_whole_rows_of_a_sheet_without_headers_take_nothing_back_where_their_last_cell_is_blank(more):
    drops = Drops(SHEET.format(header_row=0, more=more))
    drops.put("clients.xlsx", workbook([["A1", "Lyon", "Durand", None], ["A2", "Nice", "Petit", "x"]]))
    await drops.write([correction("customers", "city", "A1", "Metz")], "1" * 64)
    [name] = drops.out()
    aged(drops, name)
    assert codes(await drops.write([correction("customers", "last_name", "A1", "Roux")], "2" * 64)) == [
        ("applied", "filed")
    ]
    [other] = set(drops.out()) - {name}
    page = load_workbook(io.BytesIO(drops.get(f"out/{other}"))).worksheets[0]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == [["A1", "Metz", "Roux"]]


@pytest.mark.parametrize("header_row", [0, 1])
async def test_whole_rows_are_not_written_beside_a_file_that_waits_with_other_columns(header_row):
    drops = Drops(SHEET.format(header_row=header_row, more=""))
    head = [["No", "Ville", "Nom"]] * header_row
    drops.put("clients.xlsx", workbook([*head, ["A1", "Lyon", "Durand"]]))
    await drops.write([correction("customers", "city", "A1", "Metz")], "1" * 64)
    [name] = drops.out()
    wide = [[*line, "Note"] for line in head] + [["A1", "Metz", "Durand", "x"]]
    drops.put(f"out/{name}", workbook(wide), at=NOW)
    drops.open()
    with pytest.raises(FatalChannelError, match=rf"out/{name}: its columns are not those of clients.xlsx; import it"):
        await drops.write([correction("customers", "last_name", "A1", "Roux")], "2" * 64)
    assert drops.out() == [name]


PARQUET = """
shop_id = "maison"
[customers.t]
file = "clients.parquet"
format = "parquet"
rows = "whole"
columns = { key = "No", city = "Ville" }
"""


def parquet(**columns: pa.Array) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


async def test_parquet_rows_that_are_written_whole_keep_lists_nulls_and_moments():
    kept = {
        "tags": pa.array([["a", "b"], None]), "of": pa.array([None, {"x": 1}]), "blank": pa.array(["", None]),
        "seen": pa.array([123456789, None], pa.timestamp("ns", "UTC")), "raw": pa.array([b"\x00\xff", None]),
        "pairs": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int32())), "part": pa.array([12.1, None]),
        "at": pa.array([1, 2], pa.time64("us")),
    }
    drops = Drops(PARQUET)
    whole = parquet(No=pa.array(["1", "2"]), Ville=pa.array(["Lyon", "Nice"]).dictionary_encode(), **kept)
    drops.put("clients.parquet", whole)
    asked = [correction("customers", "city", "2", "Metz"), correction("customers", "city", "1", "É")]
    assert codes(await drops.write(asked)) == [("applied", "filed")] * 2
    [name] = drops.out()
    written, dropped = pq.read_table(io.BytesIO(drops.get(f"out/{name}"))), pq.read_table(io.BytesIO(whole))
    assert written.schema == dropped.schema
    assert written.column("Ville").to_pylist() == ["Metz", "É"]
    for column in kept:
        assert written.column(column).combine_chunks() == dropped.column(column).take([1, 0]).combine_chunks(), column


@pytest.mark.parametrize(("states", "own", "written"), [
    (pa.array([True, True]), "", False), (pa.array([1, 1], pa.int8()), "", 0), (pa.array(["1", "oui"]), "", "0"),
    (pa.array([True, True]), 'no = ["non"]', None), (pa.array([1, 1], pa.int8()), 'no = ["non"]', None),
])
@pytest.mark.parametrize("rows", ["changed", "whole"])
async def test_an_opt_out_that_its_column_cannot_hold_is_refused_by_itself(states, own, written, rows):
    drops = Drops(f"""
shop_id = "maison"
[consents.t]
file = "optin.parquet"
format = "parquet"
audience = "lettre"
rows = "{rows}"
{own}
columns = {{ key = "No", email = "Mail", state = "Optin" }}
""")
    drops.put("optin.parquet", parquet(No=pa.array(["7", "8"]), Mail=pa.array(["a@x.fr", "b@x.fr"]), Optin=states))
    outcomes = await drops.write([correction("consents", "state", "7", "no", sub="lettre", observed="yes")])
    assert codes(outcomes) == [("rejected", "NOT_WRITABLE") if written is None else ("applied", "filed")]
    for name in drops.out():
        assert pq.read_table(io.BytesIO(drops.get(f"out/{name}"))).column("Optin").to_pylist() == [written]


async def test_a_struck_through_price_is_not_cleared_where_the_column_must_hold_one_and_the_others_go_on():
    drops = Drops("""
shop_id = "maison"
[prices.t]
file = "prix.parquet"
format = "parquet"
currency = "EUR"
columns = { key = "Code", amount = "Prix", compare_at = "Barre" }
""")
    schema = pa.schema([
        pa.field("Code", pa.string()), pa.field("Prix", pa.float64()), pa.field("Barre", pa.float64(), nullable=False),
    ])
    target = io.BytesIO()
    pq.write_table(pa.table({"Code": ["A1", "A2"], "Prix": [10.0, 20.0], "Barre": [12.0, 30.0]}, schema), target)
    drops.put("prix.parquet", target.getvalue())
    outcomes = await drops.write([
        correction("prices", "compare_at", "A1", None, sub="base"),
        correction("prices", "amount", "A2", "1900", sub="base"),
    ])
    assert codes(outcomes) == [("rejected", "NOT_WRITABLE"), ("applied", "filed")]
    [name] = drops.out()
    assert pq.read_table(io.BytesIO(drops.get(f"out/{name}"))).to_pylist() == [{"Code": "A2", "Prix": 19.0}]


async def test_rows_that_no_file_can_hold_stop_the_files_alone():
    drops = Drops(PARQUET.replace('rows = "whole"\n', ""))
    drops.put("clients.parquet", parquet(No=pa.array([1], pa.time64("us")), Ville=pa.array(["Lyon"])))
    [key] = [row.id for row in await drops.rows("customers")]
    with pytest.raises(FatalChannelError, match=r"clients.parquet: 1 rows of its shape cannot be written \(ArrowNot"):
        await drops.write([correction("customers", "city", key, "Metz")])
    assert drops.out() == []


async def test_read_back_is_of_the_newest_drop_in_canonical_values():
    drops = prices()
    asked = [
        correction("prices", "amount", "A1", "1", sub="base"),
        correction("prices", "compare_at", "A2", "1", sub="base"),
        correction("prices", "compare_at", "A1", "1", sub="base"),
        correction("prices", "amount", "A1", "1", sub="pro"),
    ]
    readings = await drops.read_back(asked)
    assert [(reading.value, reading.exists) for reading in readings] == [
        ("123450", True), ("5990", True), (None, True), (None, False),
    ]
    drops.put("prix.csv", DROP.replace(b"1.234,50", b"12,00"), at=NOW)
    assert (await drops.read_back(asked[:1]))[0].value == "1200"
    drops.put("prix.csv", DROP.replace(b'"1.234,50"', b"gratuit"), at=NOW + timedelta(hours=1))
    assert (await drops.read_back(asked[:1]))[0].value == "gratuit"


async def test_nothing_is_written_over_drops_that_are_not_whole():
    drops = prices(drop=DROP[:-12])
    with pytest.raises(FatalChannelError, match="columns where the header has"):
        await drops.write([correction("prices", "amount", "A1", "123400", sub="base")])
    assert drops.out() == []
