"""Scheduled prices over the nights on which the clocks change: planned for their own day, and stale after midnight."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines.approve import approve_by_policy
from pipelines.plan import build_plan
from pipelines.push import push_plan
from tests.arming import ARMED
from tests.plan.vendor import FakeVendor
from tests.plan.world import VirtualClock, plan_rows
from tests.reconcile.shop import Shop, insert, rows

PARIS = ZoneInfo("Europe/Paris")
EVES = [datetime(2026, 3, 28, tzinfo=PARIS), datetime(2026, 10, 24, tzinfo=PARIS), datetime(2026, 6, 20, tzinfo=PARIS)]
"""The days before those that have 23, 25 and 24 hours."""


class Dated(Shop):
    """A shop whose nights are at half past eleven of one evening, and of those that follow."""

    eve: datetime

    def as_of(self, day: int) -> datetime:
        """By the clock on the wall, which is not always a day of 24 hours."""
        return (self.eve + timedelta(days=day)).replace(hour=23, minute=30).astimezone(UTC)

    def promotion(self, vendor_id: str, starts: int, ends: int) -> None:
        """Ten per cent off, from one day after the eve to another."""
        day = self.eve.date()
        insert(self.con, "square.promotions", {
            "promotion_id": f"P{vendor_id}", "vendor_id": vendor_id, "percent": 10,
            "starts_on": day + timedelta(days=starts), "ends_on": day + timedelta(days=ends),
        })


@pytest.fixture(params=EVES, ids=["spring", "autumn", "summer"])
def shop(con, request) -> Dated:
    opened = Dated(con)
    opened.eve = request.param
    opened.open()
    for number in (1, 2):
        opened.item(number)
    return opened


def amounts(shop: Shop) -> dict[str, str]:
    """What the webshop ought to hold and does not."""
    shop.night()
    of = "SELECT vendor_id, desired FROM reconcile.drift WHERE field = 'amount' AND system = 'shopify'"
    found = rows(shop.con, of)
    return {row["vendor_id"]: row["desired"] for row in found}


def test_what_begins_or_ends_tomorrow_is_planned_for_tomorrow(shop):
    shop.promotion("V1", 1, 1)
    shop.promotion("V2", -3, 0)
    shop.price("shopify", "S2", 1080, compare_at_minor=1200)
    assert amounts(shop) == {}, "tonight, half an hour before"
    assert amounts(shop) == {"S1": "1080", "S2": "1200"}, "half an hour before the day of the change is over"
    assert amounts(shop) == {"S2": "1200"}, "the day after"


@pytest.mark.parametrize(("minutes", "outcome"), [(-1, ("applied", "")), (1, ("skipped", "expired"))])
async def test_a_plan_of_before_midnight_is_stale_after_it_though_it_was_approved(shop, minutes, outcome):
    shop.promotion("V1", -1, 0)
    con, midnight = shop.con, (shop.eve + timedelta(days=1)).replace(hour=0).astimezone(UTC)
    assert amounts(shop) == {"S1": "1080"}
    for field in ("amount", "compare_at"):
        con.execute("INSERT INTO policy.decisions VALUES ('prices', ?, 'never_agreed', 'approve')", [field])
    con.execute("INSERT INTO estate.systems VALUES ('shopify', 'shop-shopify', 'Europe/Paris')")
    clock = VirtualClock(shop.as_of(0))
    plan_id = build_plan(con, lane="main", clock=clock)
    planned = plan_rows(con, plan_id)
    assert {row["desired_until"] for row in planned} == {midnight}
    approve_by_policy(con, plan_id, armed=ARMED, clock=clock)
    assert con.execute("SELECT DISTINCT valid_until FROM ledger.sync.approvals").fetchall() == [(midnight,)]
    clock.at = midnight + timedelta(minutes=minutes)
    vendor = FakeVendor("shopify", clock)
    vendor.values = {("prices", r["field"], r["vendor_id"], r["vendor_sub_id"]): r["observed"] for r in planned}
    await push_plan(con, plan_id, {"shopify": vendor.session()}, armed=ARMED, clock=clock)
    assert con.execute("SELECT DISTINCT status, code FROM ledger.sync.outcomes").fetchall() == [outcome]
