"""Laws of `identifiers.sql`, asked of DuckDB itself in batches: the one implementation is the tested one."""

import unicodedata

import duckdb
import phonenumbers
import pytest
from babel.core import get_global
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from pipelines import sql
from pipelines.currencies import DIGITS
from pipelines.duck import connect
from tests.law import law

NORMS = (
    "norm_sku(x)", "norm_gtin(x)", "norm_email(x)", "norm_phone(x, 'FR')", "norm_phone(x, 'CH')", "norm_phone(x, 'BE')",
    "norm_phone(x, 'JP')", "fold_text(x)",
)
RATES = (0, 210, 550, 810, 1000, 2000)
COUNTRIES = {"FR": 33, "CH": 41, "BE": 32, "JP": 81}
BATCH = law(12, holds=20, of=lambda values: len(values))

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=24)
typed = st.text(alphabet="0123456789 +().-/@abAB\u00a0\u202f\u00e9", max_size=20)
batch = st.lists(st.one_of(text, typed), min_size=20, max_size=80)


@pytest.fixture(scope="module")
def con():
    connection = connect(threads=1)
    sql.load_macros(connection, contact_key=b"laws")
    yield connection
    connection.close()


Rows = list[tuple[object, ...]]


def ask(con: duckdb.DuckDBPyConnection, expression: str, rows: Rows, kinds: str) -> Rows:
    """Evaluate an expression over columns x, y, z of a batch, in one query."""
    named = zip("xyz", kinds.split(), strict=False)
    columns = ", ".join(f"CAST(r[{at}] AS {kind}) AS {name}" for at, (name, kind) in enumerate(named, start=1))
    texts = [[None if value is None else str(value) for value in row] for row in rows]
    unnested = "SELECT unnest(range(len($rows))) AS i, unnest($rows) AS r"
    query = f"SELECT {expression} FROM (SELECT i, {columns} FROM ({unnested})) ORDER BY i"
    return con.execute(query, {"rows": texts}).fetchall()


@BATCH
@given(values=batch)
def test_a_norm_of_a_norm_is_itself(con, values):
    norms = ", ".join(NORMS)
    once = ask(con, norms, [(value,) for value in values], "VARCHAR")
    for at, norm in enumerate(NORMS):
        assert [row[0] for row in ask(con, norm, [(row[at],) for row in once], "VARCHAR")] == [row[at] for row in once]


@BATCH
@given(values=st.lists(st.text(alphabet="0123456789", min_size=7, max_size=14), min_size=40, max_size=80))
def test_gtin_agrees_with_python_stdnum(con, values):
    rights = [value + ean.calc_check_digit(value) for value in values if len(value) + 1 in (8, 12, 13, 14)]
    every = [*values, *rights]
    for value, (norm,) in zip(every, ask(con, "norm_gtin(x)", [(v,) for v in every], "VARCHAR"), strict=True):
        is_right = len(value) in (8, 12, 13, 14) and ean.is_valid(value) and set(value) != {"0"}
        assert norm == (value.zfill(14) if is_right else None), value


@BATCH
@given(values=st.lists(st.tuples(
    st.sampled_from(sorted(COUNTRIES)), st.integers(0, 999_999), st.sampled_from(["NATIONAL", "INTERNATIONAL", "E164"]),
), min_size=20, max_size=60))
def test_phones_agree_with_the_phonenumbers_library(con, values):
    numbers = []
    for region, tail, form in values:
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        number = phonenumbers.PhoneNumber(
            country_code=COUNTRIES[region], national_number=example.national_number // 1_000_000 * 1_000_000 + tail)
        if phonenumbers.is_valid_number(number):
            shown = phonenumbers.format_number(number, getattr(phonenumbers.PhoneNumberFormat, form))
            numbers.append((shown, region, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)))
    found = ask(con, "norm_phone(x, y)", [(shown, region) for shown, region, _ in numbers], "VARCHAR VARCHAR")
    assert [row[0] for row in found] == [right for _, _, right in numbers]


@BATCH
@given(values=st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(RATES)), min_size=20, max_size=80))
def test_net_to_gross_and_back_is_the_same_money(con, values):
    found = ask(con, "to_net(to_gross(x, y), y), to_gross(x, y)", values, "BIGINT INTEGER")
    assert [row[0] for row in found] == [net for net, _ in values]
    assert [row[1] for row in found] == [(net * (10_000 + rate) * 2 + 10_000) // 20_000 for net, rate in values]


@BATCH
@given(values=st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(RATES)), min_size=20, max_size=60))
def test_a_greater_price_is_never_a_smaller_one_on_another_basis(con, values):
    for column in ("to_net", "to_gross"):
        rows = ask(con, f"{column}(least(x, y), z) <= {column}(greatest(x, y), z)", values, "BIGINT BIGINT INTEGER")
        assert all(row[0] for row in rows)


@BATCH
@given(values=st.lists(
    st.tuples(st.integers(-10**9, 10**9), st.sampled_from(["EUR", "CHF", "JPY", "TND"])), min_size=20, max_size=60))
def test_minor_units_survive_decimal_text(con, values):
    digits = {"EUR": 2, "CHF": 2, "JPY": 0, "TND": 3}
    shown = []
    for minor, currency in values:
        places = digits[currency]
        whole, rest = divmod(abs(minor), 10**places)
        sign = "-" if minor < 0 else ""
        shown.append((f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}", currency))
    found = ask(con, "to_minor(x, y)", shown, "VARCHAR VARCHAR")
    assert [row[0] for row in found] == [minor for minor, _ in values]


@pytest.mark.parametrize("wrong", ["12,50", "1 200.00", "12.505", "", " ", "NaN", "1e3", "0x1F", "12.", "--1", "inf"])
def test_what_is_not_a_decimal_is_refused_not_guessed(con, wrong):
    assert ask(con, "to_minor(x, 'EUR')", [(wrong,)], "VARCHAR") == [(None,)]


def test_a_contact_point_is_the_hmac_of_the_address(con):
    import hmac
    from hashlib import sha256

    right = hmac.new(b"laws", b"email:lea@example.org", sha256).hexdigest()
    assert ask(con, "contact_point('email', x)", [("lea@example.org",)], "VARCHAR") == [(right,)]


def test_the_digits_of_a_currency_are_those_of_the_table(con):
    codes = [*DIGITS, "XXX", "EUX", "eur", ""]
    told = con.execute("SELECT currency_digits(c) FROM (SELECT unnest(?) AS c)", [codes]).fetchall()
    assert [digits for (digits,) in told] == [DIGITS.get(code) for code in codes]


def test_every_legal_tender_is_known():
    """By CLDR's list of today's tender, the digits by CLDR but where it counts coins and not minor units."""
    tender = {
        code for currencies in get_global("territory_currencies").values() for code, _, until, is_tender in currencies
        if until is None and is_tender
    }
    assert tender == set(DIGITS)
    no_coin = {
        "AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER",
    }
    other = {code for code, digits in DIGITS.items() if get_currency_precision(code) != digits}
    assert other == no_coin | {"IQD"}, "ISO gives the dinar of Iraq three digits, the others two"
    assert {DIGITS[code] for code in no_coin} == {2} and DIGITS["IQD"] == 3


@pytest.mark.parametrize(("value", "is_control"), [
    ("Robe", False), ("a\tb", True), ("a\nb", True), ("a\x1fb", True), ("a\x7fb", True), ("a\x85b", True),
    ("a\u202eb", True), ("a\u2066b", True), ("a\u200fb", True), ("a\u200bb", True), ("\ufeffa", True),
    ("a\u00a0b", False), ("L\u2019\u00e9t\u00e9 \U0001f457", False), ("\u05d0\u05d1", False),
])
def test_text_that_steers_or_hides_is_seen(con, value, is_control):
    assert con.execute("SELECT has_control(?)", [value]).fetchone() == (is_control,)


@pytest.mark.parametrize(("norm", "forms", "key"), [
    ("last_name_key", ["de La Fayette", "LAFAYETTE", "La Fayette", "DE LAFAYETTE", "De la Fayette"], "lafayette"),
    ("last_name_key", ["d'Estaing", "D’ESTAING", "Estaing", "M. d'Estaing"], "estaing"),
    ("last_name_key", ["Saint-Exupéry", "ST EXUPERY", "de St-Exupéry"], "saintexupery"),
    ("last_name_key", ["Sainte-Marie", "Ste Marie"], "saintemarie"),
    ("last_name_key", ["N'Diaye", "NDIAYE", "n’diaye"], "ndiaye"),
    ("last_name_key", ["Du Pont", "DUPONT", "Mme Dupont"], "dupont"),
    ("last_name_key", ["Dupont épouse Martin", "Dupont ép. Martin", "DUPONT-MARTIN"], "dupont martin"),
    ("last_name_key", ["Dupont veuve Martin", "DUPONT VVE MARTIN"], "dupont martin"),
    ("last_name_key", ["Martin née Dupont", "MARTIN (DUPONT)", "Martin-Dupont"], "martin dupont"),
    ("last_name_key", ["Née", "NEE"], "nee"),
    ("first_name_key", ["Jean-Pierre", "JEAN PIERRE", "Mr Jean-Pierre", "Jean  Pierre"], "jean pierre"),
    ("first_name_key", ["Élodie", "ELODIE", "Élodie (Mme)", "Mlle Elodie"], "elodie"),
    ("street_key", ["12 bis rue de la Paix", "12bis, R. DE LA PAIX", "12 B rue de la Paix"], "12 bis paix"),
    ("street_key", ["12 ter rue de la Paix", "12TER RUE DE LA PAIX", "12 T rue de la paix"], "12 ter paix"),
    ("street_key", ["12C rue de la Paix", "12 c, rue de la Paix"], "12 c paix"),
    ("street_key", ["5 bd St-Michel", "5 boulevard Saint Michel", "5, BLD SAINT-MICHEL"], "5 michel"),
    ("street_key", ["3 av. du Gal de Gaulle", "3 AVENUE DU GENERAL DE GAULLE"], "3 gaulle"),
    ("street_key", ["10 quai d'Orsay", "10 QUAI D ORSAY"], "10 orsay"),
    ("street_key", ["12 rue de la Paix", "12, r. de la Paix"], "12 paix"),
    ("city_key", ["PARIS CEDEX 08", "Paris 8e", "Paris 8ème arrondissement", "PARIS 08", "Paris"], "paris"),
    ("city_key", ["St-Étienne", "SAINT ETIENNE CEDEX 1"], "saint etienne"),
    ("city_key", ["Boulogne s/ Mer", "BOULOGNE SUR MER"], "boulogne sur mer"),
    ("city_key", ["Cedex", "CEDEX 8"], None),
    ("postcode_key", ["75008", "75008 CEDEX 08", "F-75008", "75 008", "75008 Paris"], "75008"),
    ("postcode_key", ["01000", "1000"], "01000"),
])
def test_the_many_forms_of_a_french_name_and_address_are_one_key(con, norm, forms, key):
    found = {form: con.execute(f"SELECT {norm}(?)", [form]).fetchall()[0][0] for form in forms}
    assert found == dict.fromkeys(forms, key)


@pytest.mark.parametrize(("norm", "one", "other"), [
    ("street_key", "12 bis rue de la Paix", "12 rue de la Paix"), ("street_key", "12 bis rue X", "12 ter rue X"),
    ("last_name_key", "Martin", "Martin-Durand"), ("last_name_key", "Lebrun", "Brun"),
    ("city_key", "Le Havre", "Havre"),
    ("postcode_key", "1234 AB", "1234 CD"), ("first_name_key", "Jean", "Jean-Pierre"),
])
def test_what_is_not_one_stays_two(con, norm, one, other):
    found = [con.execute(f"SELECT {norm}(?)", [value]).fetchall() for value in (one, other)]
    assert found[0] != found[1]


FOLDED_BLOCKS = ((0, 0x7FF), (0x2000, 0x2BFF), (0x2E00, 0x33FF), (0xFE00, 0xFFFF), (0x1F000, 0x1FBFF))


def test_marks_are_what_unicode_calls_so(con):
    points = [
        point for first, last in FOLDED_BLOCKS for point in range(max(first, 1), last + 1)
        if unicodedata.category(chr(point)) not in ("Cn", "Co", "Cs") and unicodedata.category(chr(point))[0] != "M"
    ]
    texts = [chr(point) for point in points]
    told = con.execute("SELECT regexp_full_match(t, mark_class()) FROM (SELECT unnest(?) AS t)", [texts]).fetchall()
    wrong = [
        f"U+{point:04X} {unicodedata.name(chr(point), '?')}" for point, (is_mark,) in zip(points, told, strict=True)
        if is_mark is not (unicodedata.category(chr(point))[0] in "PSZC")
    ]
    assert not wrong and len(points) > 8000
