"""R7 for files: what is not whole, not new or not there is not believed, with a reason that names file and cure."""

import asyncio
import io
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.channels.files import FILES
from pipelines.channels.files.mapping import ENTITIES
from pipelines.errors import FatalChannelError
from pipelines.extract import extract_all
from tests.channels.drops import NOW, Drops
from tests.channels.test_files_reads import EXCEL, HEAD, MAPPING, items, workbook
from tests.conftest import open_warehouse

ROWS = HEAD + "A1;1;Robe;1\nA2;2;Jupe;2\n"


async def refused(drops: Drops, entity: str = "items") -> str:
    """Why a read is not believed."""
    with pytest.raises(FatalChannelError) as caught:
        await drops.rows(entity)
    return str(caught.value)


@pytest.mark.parametrize(("more", "text", "reason"), [
    ("", "", "articles.csv: it is empty (0 bytes): ask for it anew"),
    ("", HEAD, "articles.csv: it holds no row; if that may be, say may_be_empty in the mapping"),
    ("", "\n\n", "articles.csv: it holds no line"),
    ("", ROWS + "A3;3;Ro", "articles.csv line 4: 3 columns where the header has 4: a text without quotes, or cut off"),
    ("", ROWS + "A3;3;Robe;rouge;1\n", "articles.csv line 4: 5 columns where the header has 4"),
    ("", ROWS + 'A3;3;"Robe', "articles.csv line 4: a text that is not closed: cut off? ask for it anew"),
    ("", ROWS + 'A3;3;"Robe" rouge;1\n', "articles.csv line 4: a quote in a quoted text; double it"),
    ("final_newline = true", ROWS + "A3;3;Robe;1", "articles.csv: its last line has no end: cut off? ask for it anew"),
    ('trailer = "FIN"', ROWS, "articles.csv: its last line does not begin with 'FIN': cut off? ask for it anew"),
    ('trailer = "FIN"', ROWS + "FIN;3\n", "articles.csv line 4: 2 rows where the last line counts 3: ask for it anew"),
    ('trailer = "FIN"', ROWS + "FIN;deux\n", "articles.csv line 4: no number in column 2 of the last line"),
    ('trailer = "FIN"\ntrailer_count = 9', ROWS + "FIN;2\n", "articles.csv line 4: no number in column 9"),
    ('trailer = "FIN"', HEAD + "A1;1;R;1\nFIN;1\nA2;2;J;1\nFIN;2\n", "articles.csv line 4: a line after the one that"),
])
async def test_a_file_that_is_not_whole_is_not_believed(more, text, reason):
    assert reason in await refused(items(text, more=more))


async def test_a_trailer_that_counts_the_rows_is_no_row():
    assert [row.id for row in await items(ROWS + "FIN;2;;\n", more='trailer = "FIN"').rows("items")] == ["A1", "A2"]


async def test_an_empty_file_is_believed_where_the_mapping_says_it_may_be():
    assert await items(HEAD, more="may_be_empty = true").rows("items") == []


async def test_a_character_of_another_encoding_is_told_with_its_line_and_a_guess():
    reason = await refused(items(ROWS.encode() + "A3;3;Écharpe;1\n".encode("cp1252")))
    assert "articles.csv line 4: 0xC9 is not utf-8; is its encoding cp1252 or utf-8?" in reason
    assert "is its encoding utf-16?" in await refused(items(ROWS.encode("utf-16")))


async def test_a_file_that_still_grows_is_read_the_next_night():
    drops = items(ROWS)
    sleep = drops.clock.sleep

    async def grows(seconds: float) -> None:
        await sleep(seconds)
        drops.put("articles.csv", ROWS + "A3;3;Ro")

    drops.clock.sleep = grows  # type: ignore[method-assign]
    assert "articles.csv: it is still being written: the next night reads it" in await refused(drops)
    drops.clock.sleep = sleep  # type: ignore[method-assign]
    drops.put("articles.csv", ROWS)
    drops.open()
    assert len(await drops.rows("items")) == 2
    assert drops.clock.slept == [2, 2]


async def test_a_file_that_is_another_when_it_is_read_is_not_mixed_with_it(monkeypatch):
    drops = items(ROWS)
    read = drops.session.read

    async def replaced(name: str) -> bytes:
        if name == "articles.csv":
            drops.put(name, ROWS + "A3;3;Robe;1\n")
        return await read(name)

    monkeypatch.setattr(drops.session, "read", replaced)
    assert "articles.csv: it changed while it was read" in await refused(drops)


async def test_a_file_without_its_marker_is_not_there_yet_and_the_one_before_counts():
    drops = items(ROWS, more='marker = ".done"')
    reason = await refused(drops)
    assert "articles*.csv: no file of this name with its .done in the folder: does the export still run?" in reason
    drops.put("articles.csv.done", "")
    drops.put("articles_2.csv", ROWS + "A3;3;Ro", at=NOW)
    assert len(await drops.rows("items")) == 2
    drops.put("articles_2.csv", ROWS + "A3;3;Robe;1\n", at=NOW)
    drops.put("articles_2.csv.done", "")
    assert len(await drops.rows("items")) == 3


async def test_an_old_file_is_not_believed_however_whole():
    drops = items(ROWS, more="max_age_hours = 30")
    drops.put("articles.csv", ROWS, at=NOW - timedelta(hours=49))
    reason = await refused(drops)
    assert "articles.csv: it is 49 h old, max_age_hours is 30: does the export still run?" in reason
    drops.put("articles.csv", ROWS, at=NOW - timedelta(hours=29))
    assert len(await drops.rows("items")) == 2


async def test_one_shop_that_went_silent_is_told_though_the_others_speak():
    drops = Drops("""
shop_id = "maison"
[stock.t]
file = "stock_{location}.csv"
max_age_hours = 30
columns = { key = "Code", on_hand = "Qte" }
""")
    drops.put("stock_lyon.csv", "Code;Qte\nA1;1\n")
    drops.put("stock_nice.csv", "Code;Qte\nA1;1\n", at=NOW - timedelta(hours=31))
    assert "stock_nice.csv: it is 31 h old" in await refused(drops, "stock")


async def test_the_newest_by_name_where_times_mean_nothing():
    drops = items(ROWS, more='newest_by = "name"')
    drops.put("articles_20260614.csv", HEAD + "B1;1;R;1\n", at=NOW - timedelta(days=9))
    assert [row.id for row in await drops.rows("items")] == ["B1"]


async def test_no_file_at_all_and_no_folder():
    assert "articles*.csv: no file of this name in the folder" in await refused(Drops(MAPPING))
    away = Drops(MAPPING.replace('"articles*.csv"', '"in/articles*.csv"'))
    assert "in: there is no such file or folder" in await refused(away)


@pytest.mark.parametrize("cut", [0.3, 0.9, 0.99])
async def test_a_cut_off_workbook_does_not_open(cut):
    drops = Drops(EXCEL)
    whole = workbook([["Code", "EAN", "Nom", "PA", "Maj", "Lot"], *[["A", 1, "x" * 99, 1, None, None]] * 50])
    drops.put("articles.xlsx", whole[: int(len(whole) * cut)])
    assert "articles.xlsx: it does not open as Excel (.xlsx): cut off, or still being written?" in await refused(drops)


async def test_other_faults_of_workbooks():
    drops = Drops(EXCEL)
    drops.put("articles.xlsx", b"Code;EAN\nA1;1\n")
    assert "it does not open as Excel" in await refused(drops)
    drops.put("articles.xlsx", workbook([["Code"]], sheet="Feuil1"))
    assert "no sheet 'Articles' among its 2; mend `sheet` in the mapping" in await refused(drops)
    drops.put("articles.xlsx", workbook([["Code", "EAN", "Nom", "PA", "Maj", "Lot"], ["A", 1, "x", 1, None, None, 7]]))
    assert "articles.xlsx line 2: a value to the right of the 6 columns" in await refused(drops)
    drops.put("articles.xlsx", workbook([]))
    assert "articles.xlsx: the sheet holds no row" in await refused(drops)


async def test_a_cut_off_parquet_file_does_not_open_and_lists_are_no_cells():
    mapping = """
shop_id = "maison"
[items.t]
file = "a.parquet"
format = "parquet"
columns = { key = "Code", title = "Nom" }
"""
    target = io.BytesIO()
    pq.write_table(pa.table({"Code": ["A1"], "Nom": [["x"]]}), target)
    drops = Drops(mapping)
    drops.put("a.parquet", target.getvalue()[:-9])
    assert "a.parquet: it does not open as Parquet: cut off, or still being written?" in await refused(drops)
    drops.put("a.parquet", target.getvalue())
    assert "a.parquet: column 2 holds lists or structs" in await refused(drops)


@pytest.fixture
def night(tmp_path):
    """Reads all of a folder as a night does: verdicts by entity."""
    with open_warehouse() as con:
        def read(drops: Drops, night_id: str) -> dict[str, tuple[bool, str]]:
            verdicts = extract_all(
                con, [(FILES, drops.open())], night_id=night_id, clock=drops.clock, folder=tmp_path, run=asyncio.run
            )
            return {verdict.endpoint: (verdict.is_complete, verdict.reason) for verdict in verdicts}

        read.con = con  # type: ignore[attr-defined]
        yield read


def test_a_night_keeps_what_it_had_where_a_file_is_not_whole_or_far_too_small(night):
    rows = [f"A{number};{number};Robe;1\n" for number in range(100)]
    drops = items(HEAD + "".join(rows))
    assert night(drops, "n1") == dict.fromkeys(ENTITIES, (True, ""))
    drops.put("articles.csv", HEAD + "".join(rows) + "A100;1;Ro", at=drops.clock.now())
    complete, reason = night(drops, "n2")["items"]
    assert (complete, "articles.csv line 102: 3 columns where the header has 4" in reason) == (False, True)
    drops.put("articles.csv", HEAD + "".join(rows[:50]), at=drops.clock.now())
    assert night(drops, "n3")["items"] == (False, "50 rows after 100 in the last complete census")
    drops.put("articles.csv", HEAD, at=drops.clock.now())
    assert night(drops, "n4")["items"][0] is False
    assert night.con.execute("SELECT count(*) FROM raw_files.items").fetchone() == (100,)
    drops.put("articles.csv", HEAD + "".join(rows[:95]), at=drops.clock.now())
    assert night(drops, "n5")["items"] == (True, "")
    assert night.con.execute("SELECT count(*) FROM raw_files.items").fetchone() == (95,)


def test_a_table_that_is_mapped_no_more_is_no_empty_one(night):
    drops = items(ROWS)
    night(drops, "n1")
    drops.put("mapping.toml", 'shop_id = "maison"\n[stock.t]\nfile = "s.csv"\nlocation = "x"\n'
              'columns = { key = "Code", on_hand = "Qte" }\n')
    drops.put("s.csv", "Code;Qte\nA1;1\n")
    assert night(drops, "n2")["items"] == (False, "no rows, and the system does not declare that there are none")


def test_words_of_people_are_in_no_reason(night, caplog):
    drops = Drops("""
shop_id = "maison"
[customers.t]
file = "clients.csv"
columns = { key = "No", last_name = "Nom", email = "Mail" }
""")
    rows = ("1;Secret;anne.secret@example.fr;x", '1;"Secret;anne@example.fr', '1;"Secret"x;anne.secret@example.fr')
    for text in ("1;Secret;anne.secret@example.fr", *(f"No;Nom;Mail\n{row}" for row in rows)):
        drops.put("clients.csv", f"{text}\n")
        complete, reason = night(drops, "n1")["customers"]
        assert not complete and reason
        assert "ecret" not in reason
    assert "ecret" not in caplog.text
