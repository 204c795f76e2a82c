"""Laws of money (R22), each on 10,000 cases: exact, in every currency, against Python's own decimals and fractions.

Cases are drawn from a seed, so that a law is asked of DuckDB in a few queries; what is drawn is half edges (ties,
zero, the most that anything costs) and half anything.
"""

import decimal
import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from pipelines import sql
from pipelines.currencies import DIGITS
from pipelines.duck import connect
from pipelines.policy_derive import RATE_UNITS
from pipelines.reconcile.models import reconcile_models
from pipelines.stage import stage_models
from tests.conftest import open_warehouse
from tests.reconcile.test_macros import ask

CASES = 10_000
EXAMPLES = 5
MOST = 100_000_000
BATCH = settings(  # a seed cannot be made smaller
    max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck))
MODES = {
    "half_up": decimal.ROUND_HALF_UP, "half_even": decimal.ROUND_HALF_EVEN, "half_down": decimal.ROUND_HALF_DOWN,
    "up": decimal.ROUND_UP, "down": decimal.ROUND_DOWN,
}
TAX = (0, 210, 550, 700, 770, 810, 1000, 1900, 2000, 2500, 2700)
CURRENCIES = sorted(DIGITS)
FLOATS = {exp.DataType.Type.FLOAT, exp.DataType.Type.DOUBLE}
seeds = st.integers(0, 2**64)


@pytest.fixture(scope="module")
def con():
    connection = connect(threads=1)
    sql.load_macros(connection, contact_key=b"laws")
    yield connection
    connection.close()


def cases(seed: int):
    """A source of chance, once for each case of one example."""
    dice = random.Random(seed)
    return (dice for _ in range(CASES // EXAMPLES))


def amount(dice: random.Random) -> int:
    return dice.choice([dice.randrange(MOST), dice.randrange(2_000), dice.randrange(20_000) * 5, MOST, 0])


def whole(value: Fraction, mode: str) -> int:
    """The fraction as a whole number: by comparing, not by dividing."""
    below, rest = divmod(abs(value.numerator), value.denominator)
    twice = 2 * rest - value.denominator
    up = {"up": rest > 0, "down": False, "half_up": twice >= 0, "half_down": twice > 0,
          "half_even": twice > 0 or (twice == 0 and below % 2 == 1)}[mode]
    return (below + up) * (-1 if value < 0 else 1)


@BATCH
@given(seed=seeds)
def test_minor_units_and_decimal_text_are_one_amount_in_every_currency(con, seed):
    drawn = [(dice.choice([1, 1, 1, -1]) * amount(dice), dice.choice(CURRENCIES)) for dice in cases(seed)]
    found = ask(con, "as_decimal(x, y), to_minor(as_decimal(x, y), y)", drawn, "BIGINT VARCHAR")
    for (minor, currency), (text, back) in zip(drawn, found, strict=True):
        assert text == str(Decimal(minor).scaleb(-DIGITS[currency]).quantize(Decimal(1).scaleb(-DIGITS[currency])))
        assert back == minor


@BATCH
@given(seed=seeds)
def test_what_is_no_amount_of_its_currency_is_refused_and_never_guessed(con, seed):
    drawn = []
    for dice in cases(seed):
        currency = dice.choice([*CURRENCIES, "JPY", "KWD", "EUR"])
        digits, major = DIGITS[currency], dice.randrange(10**6)
        fine = f"{dice.randrange(10**digits):0{digits}d}"
        wrong = dice.choice([
            f"{major},{fine or 0}", f"{major}.{fine}{dice.randrange(1, 10)}", f"1 {major}", f"{major}.",
            f".{fine or 5}",
            f"{major}e3", f"{currency} {major}", f"+{major}", f"{major}.{fine or 0}.1", f"٣{major}",
        ])
        drawn.append((wrong, currency))
    found = ask(con, "to_minor(x, y)", drawn, "VARCHAR VARCHAR")
    assert [case for case, (minor,) in zip(drawn, found, strict=True) if minor is not None] == []


@pytest.mark.parametrize("mode", MODES)
@BATCH
@given(seed=seeds)
def test_a_fraction_is_rounded_as_pythons_decimal_rounds(con, mode, seed):
    drawn = []
    for dice in cases(seed):
        divisor = dice.choice([2, 3, 7, 10, 100, 10_000, 12_000, dice.randrange(1, 10**9)])
        near = dice.choice([0, divisor // 2, divisor // 2 + 1, divisor - 1, dice.randrange(divisor)])
        drawn.append((dice.choice([1, 1, -1]) * (dice.randrange(10**12) * divisor + near), divisor))
    found = ask(con, f"rounded(x, y, '{mode}')", drawn, "HUGEINT HUGEINT")
    with decimal.localcontext() as context:
        context.prec = 60
        for (numerator, divisor), (rounded,) in zip(drawn, found, strict=True):
            assert rounded == whole(Fraction(numerator, divisor), mode)
            if divisor in (2, 10, 100, 10_000):  # where a decimal is exact
                exact = Decimal(numerator) / Decimal(divisor)
                assert rounded == int(exact.quantize(Decimal(1), rounding=MODES[mode]))


@pytest.mark.parametrize("mode", MODES)
@BATCH
@given(seed=seeds)
def test_the_net_price_of_a_gross_one_is_that_for_which_the_system_charges_it(con, mode, seed):
    """Where any does; else none is nearer. And what is charged for a net price leads back to that net price."""
    drawn = [(amount(dice), dice.choice([*TAX, dice.randrange(10_000)])) for dice in cases(seed)]
    shown = f"net_in(x, y, '{mode}'), gross_in(x, y, '{mode}'), net_in(gross_in(x, y, '{mode}'), y, '{mode}')"
    found = ask(con, shown, drawn, "BIGINT INTEGER")
    for (price, rate), (net, gross, back) in zip(drawn, found, strict=True):
        tax = 1 + Fraction(rate, 10_000)
        assert gross == whole(price * tax, mode)
        assert back == price
        middle = int(price / tax)
        charged = [n for n in range(max(0, middle - 2), middle + 3) if whole(n * tax, mode) == price]
        assert [net] == charged if charged else abs(net - price / tax) <= Fraction(1, 2)


def _derivation(dice: random.Random, number: int) -> dict[str, object]:
    """One price list of a shop that is derived from a list of the till's, with how it is."""
    ours, theirs = dice.choice([("JPY", "EUR"), ("KWD", "EUR"), ("EUR", "JPY"), ("TND", "JPY"), ("CHF", "KWD"),
                                tuple(dice.sample(CURRENCIES, 2))])
    places = dice.choice([1, 4, 8])
    of = dice.choice([10, 100, 1000])
    return {
        "list": f"l{number}", "from": f"g{number}", "ours": ours, "theirs": theirs, "mode": dice.choice(list(MODES)),
        "rate": f"{dice.randrange(400)}.{dice.randrange(1, 10**places):0{places}d}",
        "markup": dice.choice([0, 550, -1050, dice.randrange(-5_000, 10_000)]),
        "ends_of": of, "ends_in": dice.choice([None, dice.randrange(of), of - 1, 0]),
    }


@BATCH
@given(seed=seeds)
def test_a_derived_price_is_exact_whatever_its_currencies(seed):
    dice = random.Random(seed)
    rules = [_derivation(dice, number) for number in range(40)]
    many = rules * (CASES // EXAMPLES // len(rules))
    drawn = [(f"i{number}", rule, amount(dice)) for number, rule in enumerate(many)]
    con = open_warehouse()
    con.execute("INSERT INTO estate.night VALUES ('n', 'm', '2026-06-01 00:00:00+00', 'Asia/Tokyo', 'nightly')")
    con.executemany(
        "INSERT INTO policy.derivations VALUES ('shop', ?, ?, ?, ?, ?, ?, DATE '2026-06-09', 'derived')",
        [(r["list"], r["markup"], r["ends_in"], r["ends_of"], r["from"], int(Decimal(r["rate"]) * RATE_UNITS))
         for r in rules])
    con.executemany("INSERT INTO policy.roundings VALUES ('shop', ?, ?)", [(r["list"], r["mode"]) for r in rules])
    held = [(item, r["list"], r["ours"], r["from"], r["theirs"], minor) for item, r, minor in drawn]
    con.execute("CREATE TEMP TABLE held (a VARCHAR, b VARCHAR, c VARCHAR, d VARCHAR, e VARCHAR, f BIGINT)")
    columns = [list(column) for column in zip(*held, strict=True)]
    con.execute(
        "INSERT INTO held SELECT unnest($a), unnest($b), unnest($c), unnest($d), unnest($e), unnest($f)",
        dict(zip("abcdef", columns, strict=True)))
    con.execute("INSERT INTO observed.prices BY NAME SELECT 'shop' AS system, a AS vendor_id, b AS vendor_price_list, "
                "a AS item_id, b AS price_list_id, c AS currency, 1 AS amount, 'gross' AS tax_basis FROM held")
    con.execute("INSERT INTO golden.prices BY NAME SELECT a AS item_id, d AS price_list_id, e AS currency, "
                "f AS amount, 'gross' AS tax_basis, 'till' AS authority, 'source of truth' AS rule FROM held")
    found = dict(con.execute(
        f"SELECT vendor_id, amount_desired FROM ({reconcile_models()['compared.prices'].sql})").fetchall())
    con.close()
    assert len(found) == len(drawn)
    for item, rule, minor in drawn:
        factor = Fraction(rule["rate"]) * (1 + Fraction(rule["markup"], 10_000))
        value = whole(minor * factor * Fraction(10) ** (DIGITS[rule["ours"]] - DIGITS[rule["theirs"]]), rule["mode"])
        if rule["ends_in"] is not None:
            value += (rule["ends_in"] - value) % rule["ends_of"]
        assert found[item] == value, (rule, minor)


@pytest.mark.parametrize("name", ["golden.prices", "compared.prices", "observed.prices", "reconcile.prior_prices"])
def test_no_price_is_ever_a_float(name):
    tree = parse_one(reconcile_models()[name].sql, dialect="duckdb")
    inexact = list(tree.find_all(exp.Div, exp.Round, exp.Pow))
    inexact += [node for node in tree.find_all(exp.DataType) if node.this in FLOATS]
    inexact += [node for node in tree.find_all(exp.Literal) if not node.is_string and not node.is_int]
    assert [node.sql("duckdb") for node in inexact] == []


@pytest.mark.parametrize("name", sorted(name for name in stage_models() if name.endswith(".prices")))
def test_no_amount_is_divided_into_a_float_where_it_is_read(name):
    tree = parse_one(stage_models()[name].sql, dialect="duckdb")
    inexact: list[exp.Expression] = list(tree.find_all(exp.Div))
    inexact += [node for node in tree.find_all(exp.DataType) if node.this in FLOATS]
    assert [node.sql("duckdb") for node in inexact] == []
