"""What may stand in a mapping, what the errors say, where it lies, and the schema for editors."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from pipelines.channels.base import Connection
from pipelines.channels.files import FILES
from pipelines.channels.files.mapping_check import SCHEMA, json_schema, mapping_of
from pipelines.channels.files.patterns import matcher_of, may_name_one
from pipelines.channels.files.session import FilesSession
from pipelines.configuration import TomlFile
from pipelines.errors import ConfigurationError, FatalChannelError
from tests.channels.drops import Drops, StillClock

GOOD = """
shop_id = "maison"

[defaults]
encoding = "cp1252"
currency = "EUR"

[items.articles]
file = "articles_*.csv"
columns = { key = "Code", gtin = ["EAN", "Code barre"], cost = "PA" }

[prices.tarif]
file = "articles_*.csv"
tax_basis = "gross"
columns = { key = "Code", amount = "Prix" }

[stock.magasins]
file = "in/stock_{location}.csv"
format = "xlsx"
encoding = "utf-8"

[stock.magasins.columns]
key = "Code"
on_hand = "Qte"

[consents.lettre]
file = "optin.csv"
audience = "lettre"
columns = { key = "Mail", email = "Mail", state = "Optin" }
"""


def test_the_defaults_are_of_all_tables_that_say_nothing_else():
    mapping = mapping_of(TomlFile("files.toml", GOOD))
    assert mapping.items["articles"].encoding == mapping.prices["tarif"].encoding == "cp1252"
    assert (mapping.stock["magasins"].encoding, mapping.stock["magasins"].currency) == ("utf-8", "EUR")


@pytest.mark.parametrize(("defaults", "own", "withdrawals"), [
    ("", "", ["non", "n", "no"]),
    ('no = ["non", "0"]', "", ["non"]),
    ('no = ["0"]', "", []),
    ("", 'no = ["0"]', ["0"]),
    ('no = ["non", "0"]', 'no = ["non", "0"]', ["non", "0"]),
])
def test_only_a_table_of_permissions_itself_makes_an_unticked_box_a_withdrawal(defaults, own, withdrawals):
    text = GOOD
    for title, more in (("[defaults]", defaults), ("[consents.lettre]", own)):
        text = text.replace(title, f"{title}\n{more}")
    found = mapping_of(TomlFile("files.toml", text)).consents["lettre"]
    assert found.withdrawals == withdrawals
    assert set(withdrawals) <= set(found.no)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("cp1252", "cp1253", "line 5: defaults.encoding: 'cp1253' is not allowed; did you mean \"cp1252\"?; allowed: utf-"),
    ('encoding = "cp', 'encodin = "cp', 'line 5: defaults.encodin: unknown key; did you mean "encoding"?; allowed: '),
    ('"EUR"', '"EURO"', "line 6: defaults.currency: not a currency; allowed: a code of ISO 4217, as EUR (got 'EURO')"),
    ('currency = "EUR"', "", 'line 12: prices.tarif.currency: is missing; allowed: a code of ISO 4217, or a column'),
    ('currency = "EUR"', "", "line 8: items.articles.currency: is missing, and the cost needs one"),
    ('currency = "EUR"', 'thousands = ","', "line 8: items.articles.thousands: ',' is the decimal sign too"),
    ('currency = "EUR"', 'currency = "EUR"\ntimezone = "Paris"', "line 7: defaults.timezone: not a time zone"),
    ('currency = "EUR"', 'currency = "EUR"\nyes = ["Oui"]', "line 7: defaults.yes: not words; allowed: words in lower "
     "case without outer blanks (got ['Oui'])"),
    ('currency = "EUR"', 'currency = "EUR"\nheader_row = -1', "line 7: defaults.header_row: -1 is not allowed; "
     "allowed: a whole number from 0 to 100"),
    ('key = "Code"\non_hand = "Qte"', 'on_hand = "Qte"', "line 22: stock.magasins.columns.key: is missing"),
    ('on_hand = "Qte"', "", "line 22: stock.magasins.columns: no column holds a quantity; allowed: on_hand, available"),
    ("{location}", "{shop}", "line 18: stock.magasins.file: {shop} means nothing here; allowed: {location}"),
    ("{location}", "lyon", "line 17: stock.magasins.location: is missing; allowed: one of location, columns.location"),
    ('format = "xlsx"', 'location = "lyon"', "line 19: stock.magasins.location: is said more than once; allowed: one"),
    ("articles_*.csv", "articles_{location}.csv", "items.articles.file: {location} means nothing here; allowed: no br"),
    ("articles_*.csv", "../articles.csv", "line 9: items.articles.file: not a path inside the folder; allowed: names"),
    ("articles_*.csv", "/etc/passwd", "line 9: items.articles.file: not a path inside the folder"),
    ('amount = "Prix"', 'amont = "Prix"', 'line 15: prices.tarif.columns.amont: unknown key; did you mean "amount"?'),
    ('amount = "Prix"', "amount = 3", "line 15: prices.tarif.columns.amount.str: 3 is not allowed; allowed: text"),
    ('tax_basis = "gross"', "header_row = 0", "line 15: prices.tarif.columns: no line names the columns "
     "(header_row = 0), so 'Code' is none; allowed: as #1"),
    ('tax_basis = "gross"', "header_row = 0", "line 12: prices.tarif.rows: without headers nobody could tell which"),
    ('amount = "Prix"', 'amount = "#0"', "line 15: prices.tarif.columns: '#0' is no column's number; allowed: #1, #2"),
    ('tax_basis = "gross"', 'changes = "maj.csv"\nnewest_by = "name"', "prices.tarif.newest_by: changes are laid over"),
    ('format = "xlsx"', 'changes = "maj.csv"', "line 19: stock.magasins.changes: one of the two names holds {location"),
    ('shop_id = "maison"', "", "line 1: shop_id: is missing"),
    ('shop_id = "maison"', 'shop_id = "maison"\nout = "../x"', "line 3: out: not a folder inside that of the drops"),
    *(('shop_id = "maison"', f'shop_id = "maison"\nout = "{out}"', "line 3: out: not a folder inside that of the drops")
      for out in (".", "./", "/x", "x/../..")),
    *(("[defaults]", f'out = "{out}"\n[defaults]', "line 4: out: drops of stock.magasins are looked for there; "
       "allowed: a folder without drops, as out") for out in ("in", "./in/", "In")),
    ('tax_basis = "gross"', 'rows = "whole"', "line 14: prices.tarif.rows: items.articles may be of the same file, and "
     "whole rows would take its corrections back; allowed: changed, or none where nothing is to be written"),
    ('format = "xlsx"', 'rows = "whole"', "line 19: stock.magasins.rows: whole rows would set on_hand back to what it "
     "was when it was dropped; allowed: changed, or none where nothing is to be written"),
    ("[consents.lettre]", '[customers.t]\nfile = "c.csv"\nchanges = "opt*.csv"\ncolumns = { key = "a" }\n'
     '[consents.lettre]\nrows = "whole"', "line 31: consents.lettre.rows: customers.t may be of the same file"),
    ('audience = "lettre"', 'audience = "sms"\nrows = "whole"\ncolumns = { key = "M", email = "M", state = "S" }\n'
     '[consents.lettre2]\nfile = "optin.csv"\naudience = "lettre"',
     "line 29: consents.lettre.rows: consents.lettre2 may be of the same file"),
    ("[defaults]", "[defaults", "files.toml: not valid TOML: "),
    (GOOD[GOOD.index("[defaults]"):], "", "no table is mapped; allowed: at least one of items, prices, stock, custome"),
])
def test_an_error_names_line_key_and_what_is_allowed(old, new, message):
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        mapping_of(TomlFile("files.toml", GOOD.replace(old, new, 1)))
    assert message in str(caught.value)


def test_the_published_schema_is_the_models_own_and_takes_a_good_mapping():
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert published == json_schema(), "python -m pipelines.channels.files writes it anew"
    jsonschema.validate(tomllib.loads(GOOD), published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(GOOD.replace("cp1252", "cp1253")), published)


def connected(options: dict[str, str], folder: Path, drops: Drops) -> FilesSession:
    session = FILES.connect(Connection("file:///drops", {}, options, StillClock(), drops.folder, folder=folder))
    assert isinstance(session, FilesSession)
    return session


async def test_a_mapping_lies_beside_the_estate_or_in_the_folder(tmp_path):
    drops = Drops(GOOD.replace("maison", "the folder's"))
    (tmp_path / "files.toml").write_text(GOOD, encoding="utf-8")
    assert (await FILES.identify(connected({"mapping": "files.toml"}, tmp_path, drops))).shop_id == "maison"
    assert (await FILES.identify(connected({}, tmp_path, drops))).shop_id == "the folder's"


async def test_a_wrong_mapping_of_the_estate_stops_all_and_one_of_the_folder_that_system(tmp_path):
    drops = Drops(GOOD.replace("cp1252", "cp1253"))
    (tmp_path / "files.toml").write_text(GOOD.replace("cp1252", "cp1254"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="files.toml line 5: defaults.encoding: 'cp1254'"):
        connected({"mapping": "files.toml"}, tmp_path, drops)
    with pytest.raises(ConfigurationError, match="there is no such file"):
        connected({"mapping": "other.toml"}, tmp_path, drops)
    with pytest.raises(FatalChannelError, match="mapping.toml line 5: defaults.encoding: 'cp1253'"):
        await FILES.identify(connected({}, tmp_path, drops))
    drops.put("mapping.toml", "é".encode("cp1252"))
    with pytest.raises(FatalChannelError, match="mapping.toml is not UTF-8"):
        await FILES.identify(connected({}, tmp_path, drops))
    drops.folder.rm("mapping.toml")
    with pytest.raises(FatalChannelError, match="mapping.toml: there is no such file or folder"):
        await FILES.identify(connected({}, tmp_path, drops))


@pytest.mark.parametrize(("said", "meant"), [("out/", "out"), ("./out", "out"), ("a//b/", "a/b"), ("Out", "Out")])
def test_the_folder_of_corrections_has_one_name_however_it_is_written(said, meant):
    assert mapping_of(TomlFile("files.toml", f'out = "{said}"\n{GOOD}')).out == meant


def test_a_drop_has_one_name_however_it_is_written():
    assert mapping_of(TomlFile("files.toml", GOOD.replace("in/stock", "./in//stock"))).stock["magasins"].file == (
        "in/stock_{location}.csv"
    )


def test_whole_rows_are_for_files_of_their_own():
    alone = GOOD.replace('audience = "lettre"', 'audience = "lettre"\nrows = "whole"')
    assert mapping_of(TomlFile("files.toml", alone)).consents["lettre"].rows == "whole"


@pytest.mark.parametrize(("left", "right", "may"), [
    ("a.csv", "a.csv", True), ("A.csv", "a.CSV", True), ("a.csv", "b.csv", False), ("a*.csv", "*b.csv", True),
    ("a?.csv", "a.csv", False), ("a?.csv", "ab*", True), ("x_{location}.csv", "x_lyon.csv", True),
    ("x_{location}.csv", "x_.csv", False), ("*", "in/a.csv", False), ("in/*", "in/a.csv", True), ("?", "/", False),
    ("in/a*", "out/a*", False), ("", "*", True), ("", "?", False),
])
def test_two_patterns_of_one_file(left, right, may):
    assert may_name_one(left, right) is may_name_one(right, left) is may


@pytest.mark.parametrize(("pattern", "name", "place"), [
    ("stock_{location}.csv", "stock_lyon.csv", "lyon"), ("stock_{location}_*.csv", "stock_lyon_2026_06.csv", "lyon"),
    ("{location}/stock.csv", "lyon/stock.csv", "lyon"), ("a?.csv", "a1.csv", None), ("a.csv", "a.csv", None),
    ("{location}_{location}.csv", "a_a.csv", "a"),
])
def test_names_that_fit(pattern, name, place):
    found = matcher_of(pattern).fullmatch(name)
    assert found and found.groupdict().get("place") == place


@pytest.mark.parametrize(("pattern", "name"), [
    ("a.csv", "axcsv"), ("*.csv", "in/a.csv"), ("a?.csv", "a.csv"), ("stock_{location}.csv", "stock_.csv"),
    ("{location}_{location}.csv", "a_b.csv"),
])
def test_names_that_do_not_fit(pattern, name):
    assert not matcher_of(pattern).fullmatch(name)
