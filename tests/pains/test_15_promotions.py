"""Promotional prices at the wrong moment, and the law of the prior price.

facebook/facebook-for-woocommerce#193, #1067; facebookarchive/facebook-for-magento2#40; mailchimp/mc-magento2#194
(nothing changes in the row when a promotion starts); CORE-POS/IS4C#869. The EU's prior price (Omnibus):
iworks/omnibus#30, nopSolutions/nopCommerce#6515, MahoCommerce/maho#453 (fines), spree/spree PR#13817.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines.approve import approve_by_person, approve_by_policy
from pipelines.plan import build_plan
from pipelines.push import push_plan
from tests.arming import ARMED
from tests.plan.vendor import FakeVendor
from tests.plan.world import VirtualClock, insert, plan_rows
from tests.reconcile.shop import FIRST, Shop, told

PARIS = ZoneInfo("Europe/Paris")
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=PARIS), datetime(2026, 10, 25, tzinfo=PARIS)
"""A day of 23 hours and one of 25; each begins at midnight by the clock on the wall."""
KEY = ("prices", "amount", "S1", "base")


class Timed(Shop):
    """A shop whose nights are when the test says."""

    nights: tuple[datetime, ...]

    def as_of(self, day: int) -> datetime:
        """The moments given, one after the other."""
        return self.nights[day].astimezone(UTC)

    def promotion(self, number: int, starts: datetime, ends: datetime, percent: int = 10) -> None:
        """So much off at the till, both days included."""
        insert(self.con, "square.promotions", [{
            "promotion_id": f"P{number}", "vendor_id": f"V{number}", "percent": percent,
            "starts_on": starts.date(), "ends_on": ends.date(),
        }])


@pytest.fixture
def timed(con) -> Timed:
    opened = Timed(con)
    opened.open()
    opened.item(1)
    con.execute("INSERT INTO estate.systems VALUES ('shopify', 'shop-shopify', 'Europe/Paris')")
    for name in ("amount", "compare_at"):
        con.execute("INSERT INTO policy.decisions VALUES ('prices', ?, 'never_agreed', 'approve')", [name])
    return opened


@pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["23 hours", "25 hours"])
def test_a_promotion_that_starts_tomorrow_is_planned_for_tomorrow(timed, day):
    timed.promotion(1, day, day)
    timed.nights = (
        day - timedelta(minutes=30), day + timedelta(minutes=30), day.replace(hour=23, minute=30),
        day + timedelta(days=1, minutes=30),
    )
    found = [[row[4] for row in told(timed.night()) if row[:2] == ("shopify", "amount")] for _ in timed.nights]
    assert found == [[], ["1080"], ["1080"], []], "from midnight to midnight, though no row of any system has changed"


@pytest.mark.parametrize(
    ("day", "hour", "approve", "minutes", "expected"),
    [
        (SPRING, 0, approve_by_person, 1, ("skipped", "expired")),
        (AUTUMN, 0, approve_by_person, -1, ("applied", "")),
        (AUTUMN, 23, approve_by_policy, 1, ("skipped", "expired")),
    ],
    ids=["23 hours, a person, after", "25 hours, a person, before", "25 hours, the policy, after"],
)
async def test_no_approval_outlives_the_minute_at_which_a_promotion_turns(timed, day, hour, approve, minutes, expected):
    con, turns = timed.con, (day + timedelta(days=1)).astimezone(UTC)
    timed.promotion(1, day - timedelta(days=3), day)
    timed.nights = (day.replace(hour=hour, minute=30),)
    timed.night()
    if approve is approve_by_person:
        con.execute("UPDATE policy.decisions SET action = 'hold'")
    clock = VirtualClock(timed.as_of(0))
    plan_id = build_plan(con, lane="main", clock=clock)
    planned = plan_rows(con, plan_id)
    insert(con, "ledger.sync.answers", [
        {"answer_id": row["correction_key"], "correction_key": row["correction_key"], "answer": "approve",
         "author": "Ana", "reason": "seen", "at": clock.now()} for row in planned
    ])
    assert approve(con, plan_id, armed=ARMED, clock=clock) == len(planned) > 0
    assert con.execute("SELECT DISTINCT valid_until FROM ledger.sync.approvals").fetchall() == [(turns,)]
    clock.at = turns + timedelta(minutes=minutes)
    vendor = FakeVendor("shopify", clock)
    vendor.values = {(r["entity"], r["field"], r["vendor_id"], r["vendor_sub_id"]): r["observed"] for r in planned}
    await push_plan(con, plan_id, {"shopify": vendor.session()}, armed=ARMED, clock=clock)
    assert con.execute("SELECT DISTINCT status, code FROM ledger.sync.outcomes").fetchall() == [expected]
    assert vendor.values[KEY] == ("1080" if expected[0] == "applied" else "1200")


@pytest.mark.parametrize(
    ("days_ago", "expected"), [(29, "hold"), (31, "approve")], ids=["29 days ago", "31 days ago"]
)
def test_a_was_price_above_the_lowest_of_thirty_days_is_held(timed, days_ago, expected):
    timed.nights = (FIRST,)
    timed.promotion(1, FIRST, FIRST, percent=20)
    for amount, since, until in ((1200, 90, days_ago + 1), (1080, days_ago, days_ago), (1200, days_ago - 1, 1)):
        insert(timed.con, "ledger.history.prices", [{
            "system": "shopify", "vendor_id": "S1", "vendor_price_list": "base", "currency": "EUR", "amount": amount,
            "first_seen_at": FIRST - timedelta(days=since), "last_confirmed_at": FIRST - timedelta(days=until),
        }])
    timed.night()
    planned = plan_rows(timed.con, build_plan(timed.con, lane="main", clock=VirtualClock(FIRST)))
    found = {(row["field"], row["desired"]): row["disposition"] for row in planned if row["system"] == "shopify"}
    assert found == {("amount", "960"): "approve", ("compare_at", "1200"): expected}
