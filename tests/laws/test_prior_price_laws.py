"""The law of the "was" price: the SQL finds what a person finds who walks through an item's prices day by day.

Thousands of made histories in one execution: prices that stand, fall, rise and are announced or not, in two records of
one item and two currencies, with nights left out.
"""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.reconcile.models import reconcile_models
from tests.conftest import open_warehouse

AS_OF = datetime(2026, 7, 31, 1, 0, tzinfo=UTC)
ITEMS = 400
DAY = timedelta(days=1)
Row = tuple[str, str, datetime, datetime, int, int | None]
"""Record, currency, first seen, last confirmed, price, "was"."""


def lived(dice: random.Random, record: str, start: int) -> list[Row]:
    """The change rows of one record, from so many days ago until yesterday."""
    rows: list[Row] = []
    day, amount = start, dice.choice([80, 90, 100])
    while day > 0:
        stays = dice.choice([1, 2, 5, 29, 30, 31])
        was = dice.choice([None, None, 100, 110, amount])
        first, last = AS_OF - day * DAY, AS_OF - max(1, day - stays + 1) * DAY
        rows.append((record, dice.choice(["EUR"] * 9 + ["CHF"]), first, last, amount, was))
        day -= stays + dice.choice([0, 0, 0, 2])
        amount = dice.choice([amount, amount - 10, amount + 10, 80, 100])
    return rows


def found_by_hand(rows: list[Row], shown: list[tuple[int, int | None]], days: int) -> tuple[str, int | None, datetime]:
    """Walk through the record's own prices and those that follow (now; now and planned): finding, lowest, beginning."""
    own = sorted((row for row in rows if row[0] == "own"), key=lambda row: row[2])
    own += [("own", "EUR", AS_OF + place * timedelta(microseconds=1), AS_OF, *pair) for place, pair in enumerate(shown)]
    began, before = None, None
    for row in own:
        is_reduced = row[5] is not None and row[5] > row[4]
        goes_on = (before is not None and before[5] is not None and before[5] > before[4] and before[1] == row[1]
                   and before[4] >= row[4])
        if is_reduced and not goes_on:
            began = row[2]
        before = row
    assert began is not None
    others = [row for row in rows if row[0] != "own"]
    earlier = [row for row in own + others if row[1] == "EUR" and row[2] < began]
    lowest = min((row[4] for row in earlier if row[3] >= began - days * DAY), default=None)
    if lowest is not None and shown[-1][1] > lowest:
        return "above the lowest", lowest, began
    is_known = any(row[2] <= began - days * DAY for row in earlier)
    return "allowed" if is_known else "history too short", lowest, began


def poured(con, table: str, rows: list[tuple[object, ...]], names: str, listed: str = "vendor_price_list") -> None:
    """Insert rows of the shop's one list, all at once."""
    columns = ", ".join(f"unnest(${name}) AS {name}" for name in names.split())
    values = zip(names.split(), (list(column) for column in zip(*rows, strict=True)), strict=True)
    con.execute(f"INSERT INTO {table} BY NAME SELECT 'shop' AS system, 'base' AS {listed}, {columns}", dict(values))


@settings(
    max_examples=6, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64))
def test_the_prior_price_is_what_a_walk_through_the_days_finds(seed):
    dice = random.Random(seed)
    con = open_warehouse()
    con.execute("CREATE SCHEMA IF NOT EXISTS compared")
    con.execute("CREATE TABLE compared.prices (system VARCHAR, vendor_id VARCHAR, vendor_sub_id VARCHAR, "
                "subject_id VARCHAR, subject_sub_id VARCHAR, currency VARCHAR, amount_observed BIGINT, "
                "amount_desired BIGINT, compare_at_observed BIGINT, compare_at_desired BIGINT)")
    con.execute("INSERT INTO estate.night VALUES ('n', 'm', ?, 'Europe/Paris', 'nightly')", [AS_OF])
    con.execute("INSERT INTO policy.targets VALUES ('shop', 'prices', 'compare_at', 'live', true, 0)")
    con.execute("INSERT INTO policy.prior_prices VALUES ('l30', 30), ('l60', 60), ('l0', 0)")
    history, observed, compared, expected = [], [], [], {}
    for number in range(ITEMS):
        item, days = f"i{number}", dice.choice([30, 30, 60, 0])
        rows = lived(dice, "own", dice.choice([0, 3, 40, 100]))
        rows += lived(dice, "old", dice.choice([100, 40])) if dice.random() < 0.2 else []
        history += [(f"{row[0]}{item}", item, *row[1:]) for row in rows]
        now = dice.choice([(80, 100), (90, 100), (100, None), (80, 80)])
        wish = dice.choice([(70, 100), (90, 110), (80, 100), (100, None)])
        observed.append((f"own{item}", item, f"l{days}", *now))
        compared.append((f"own{item}", item, f"l{days}", now[0], wish[0], now[1], wish[1]))
        if days and now[1] is not None and now[1] > now[0]:
            expected[f"own{item}", False] = found_by_hand(rows, [now], days)
        is_written = wish[1] != now[1] or (wish[0] < now[0] and now[1] is not None and now[1] <= now[0])
        if days and wish[1] is not None and is_written:
            expected[f"own{item}", True] = found_by_hand(rows, [now, wish], days)
    poured(con, "ledger.history.prices", history,
           "vendor_id item_id currency first_seen_at last_confirmed_at amount compare_at")
    poured(con, "observed.prices", observed, "vendor_id item_id price_list_id amount compare_at")
    con.execute("UPDATE observed.prices SET currency = 'EUR'")
    poured(con, "compared.prices", compared, "vendor_id subject_id subject_sub_id amount_observed amount_desired "
           "compare_at_observed compare_at_desired", listed="vendor_sub_id")
    con.execute("UPDATE compared.prices SET currency = 'EUR'")
    found = con.execute("SELECT vendor_id, is_planned, finding, lowest, began_at FROM "
                        f"({reconcile_models()['reconcile.prior_prices'].sql})").fetchall()
    con.close()
    assert {(key, planned): tuple(rest) for key, planned, *rest in found} == expected
    assert len({finding for finding, _, _ in expected.values()}) == 3, "each finding is met"
