"""The "was" price over nights: from what was written and proven to the flag, the held row, the report and `why`."""

from datetime import timedelta

import pytest

from pipelines.check import declared_checks
from pipelines.check.run import evaluate
from pipelines.ledger.export import swap_snapshot
from pipelines.reconcile.drift import build_drift
from pipelines.reconcile.models import build_models
from pipelines.report.facts import night_facts
from pipelines.report.page import write_report
from pipelines.why import why
from resources.warehouse import open_copy
from tests.conftest import KEY
from tests.plan.world import AS_OF, fresh, insert, policy, start_night
from tests.test_agree import golden_price, night, price, replace

LIST, FIRST, SECOND = 1200, 1080, 960


@pytest.fixture
def world():
    con = fresh()
    policy(con)
    con.execute("DELETE FROM policy.targets WHERE entity <> 'prices' OR system <> 'shopify'")
    build_models(con, "reconcile.movement_log", "reconcile.outstanding")
    replace(con, "estate.price_lists", {"system": "shopify", "vendor_price_list": "base", "price_list_id": "eur"})
    return con


async def lived(con, number, held, wanted, **options):
    """One night in which the shop holds (amount, was) and ought to hold others; its rows by field."""
    replace(con, "observed.prices", price("shopify", "s1", *held))
    replace(con, "golden.prices", golden_price("i1", *wanted))
    rows, _ = await night(con, number, **options)
    return {row["field"]: row for row in rows}


async def two_promotions(con, **first):
    """The list price for 34 nights, a promotion of two, the list price again, and another promotion a week later."""
    await lived(con, 1, (LIST,), (LIST,))
    await lived(con, 34, (LIST,), (LIST,))
    begun = await lived(con, 35, (LIST,), (FIRST, LIST), **first)
    shown = (FIRST, LIST) if not first else (LIST,)
    await lived(con, 37, shown, (LIST,))
    return begun, await lived(con, 44, (LIST,), (SECOND, LIST))


async def test_a_second_promotion_is_not_announced_against_the_list_price(world):
    first, second = await two_promotions(world)
    assert {row["disposition"] for row in first.values()} == {"approve"}
    assert second["amount"]["disposition"] == "approve", "the price itself may fall"
    was = second["compare_at"]
    assert (was["disposition"], was["is_releasable"]) == ("hold", True)
    assert was["disposition_reason"] == (
        'The "was" price would be above the lowest of the 30 days before the reduction (art. 6a of Directive 98/6/EC).'
    )
    assert was["reason"].endswith(
        ' But "was" 12.00 EUR is above the lowest price of the 30 days before the reduction of 2026-04-14: '
        "it cost 10.80 EUR, last on 2026-04-07."
    )


async def test_a_price_that_was_written_and_never_confirmed_is_no_price(world):
    _, second = await two_promotions(world, distort=lambda value: "1")
    assert world.execute("SELECT DISTINCT amount FROM ledger.history.prices WHERE amount < 1100").fetchall() == [(960,)]
    assert {row["disposition"] for row in second.values()} == {"approve"}


async def test_the_estate_switches_it_off(world):
    insert(world, "policy.prior_prices", [{"price_list_id": "eur", "days": 0}])
    _, second = await two_promotions(world)
    assert {row["disposition"] for row in second.values()} == {"approve"}
    assert world.execute("SELECT count(*) FROM reconcile.prior_prices").fetchone() == (0,)


def shown_too_high(con):
    """Two shops' prices: one was cheaper a week ago, of the other nothing is known."""
    start_night(con, 9)
    replace(con, "observed.prices", price("shopify", "s1", 900, LIST), price("shopify", "s2", 900, LIST))
    replace(con, "golden.items", {"item_id": "i1", "sku": "ROB-1"})
    insert(con, "ledger.history.prices", [
        {"system": "shopify", "vendor_id": "s1", "vendor_price_list": "base", "item_id": "i1", "currency": "EUR",
         "amount": 1000, "first_seen_at": AS_OF - timedelta(days=90), "last_confirmed_at": AS_OF},
    ])
    build_drift(con)


def test_what_a_shop_shows_too_high_is_a_warning_that_stops_nothing(world):
    (check,) = [check for check in declared_checks() if check.name == "shown_prior_price"]
    build_drift(world)
    assert evaluate(world, [check])[0].failed_rows == 0
    shown_too_high(world)
    (one,) = evaluate(world, [check])
    assert (one.failed_rows, one.stops) == (1, ())


def test_report_and_why_say_the_lowest_and_its_day_and_what_cannot_be_told(world, tmp_path):
    shown_too_high(world)
    insert(world, "ledger.sync.nights", [{
        "night_id": "n9", "estate": "maison", "kind": "nightly", "as_of": AS_OF, "started_at": AS_OF,
        "finished_at": AS_OF, "status": "complete", "summary": "{}",
    }])
    found = ('"was" 12.00 EUR is above the lowest price of the 30 days before the reduction of 2026-03-10: '
             "it cost 10.00 EUR, last on 2026-03-02")
    assert night_facts(world, "n9").prior_prices == [
        {"system": "shopify", "item": "ROB-1", "price_list_id": "eur", "reason": found, "row_count": 1, "total": 1},
        {"system": "shopify", "item": None, "price_list_id": None, "reason": None, "row_count": 1, "total": 0},
    ]
    page = write_report(world, "n9", tmp_path).read_text(encoding="utf-8")
    assert "it cost 10.00 EUR, last on 2026-03-02" in page and "1 shown too high" in page
    assert "1 of shopify cannot be judged yet" in page
    insert(world, "ledger.identity.items", [
        {"system": "shopify", "vendor_id": f"s{n}", "item_id": f"i{n}", "rule": "sku", "bound_at": AS_OF,
         "night_id": "n1"} for n in (1, 2)
    ])
    with open_copy(swap_snapshot(world, tmp_path / "snapshot.duckdb"), contact_key=KEY) as copy:
        (said,) = [s for s in why(copy, "s1", field="compare_at") if s.what == "said"]
        assert said.detail == f"gross, {found}"
        (said,) = [s for s in why(copy, "s2", field="compare_at") if s.what == "said"]
        assert said.detail.endswith("cannot be told: its price is known since 2026-03-10")


def test_why_answers_over_a_snapshot_of_before(world, tmp_path):
    shown_too_high(world)
    insert(world, "ledger.identity.items", [
        {"system": "shopify", "vendor_id": "s1", "item_id": "i1", "rule": "sku", "bound_at": AS_OF, "night_id": "n1"}
    ])
    world.execute("DROP TABLE reconcile.prior_prices")
    try:
        path = swap_snapshot(world, tmp_path / "snapshot.duckdb")
    finally:
        build_drift(world)
    with open_copy(path, contact_key=KEY) as copy:
        (said,) = [s for s in why(copy, "s1", field="compare_at") if s.what == "said"]
        assert said.detail == "gross"
