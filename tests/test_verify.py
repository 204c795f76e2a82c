"""Verify: confirmed, overwritten, settling, unconfirmed; and when two spellings are one value."""

from datetime import timedelta

import pytest

from pipelines.approve import approve_by_policy
from pipelines.model import Correction, Outcome, OutcomeStatus, Reading
from pipelines.plan import build_plan
from pipelines.push import push_plan
from pipelines.readback import after_doubt, before_write, is_same
from pipelines.verify import verify_plan
from tests.arming import ARMED
from tests.plan.vendor import FakeVendor
from tests.plan.world import AS_OF, VirtualClock, drift, fresh, insert, plan_rows, policy, start_night


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def world():
    con = fresh()
    policy(con)
    return con


async def pushed(con, clock, count=4, **rest):
    insert(con, "reconcile.drift", (drift(vendor_id=f"v{i}") for i in range(count)))
    plan_id = build_plan(con, lane="main", clock=clock)
    approve_by_policy(con, plan_id, armed=ARMED, clock=clock)
    vendor = FakeVendor("shopify", clock, **rest)
    vendor.values = {("prices", "amount", f"v{i}", "base"): "1000" for i in range(count)}
    await push_plan(con, plan_id, {"shopify": vendor.session()}, armed=ARMED, clock=clock)
    return plan_id, vendor


async def verify(con, plan_id, clock, *vendors):
    return await verify_plan(con, plan_id, {v.name: v.session() for v in vendors}, clock=clock)


def verdicts(con):
    return dict(con.execute(
        "SELECT c.vendor_id, arg_max(v.status, v.rowid) FROM ledger.sync.verifications AS v "
        "JOIN ledger.sync.corrections AS c USING (plan_id, correction_key) GROUP BY c.vendor_id"
    ).fetchall())


async def test_what_reads_as_desired_is_confirmed(world, clock):
    plan_id, vendor = await pushed(world, clock)
    assert await verify(world, plan_id, clock, vendor) == {"shopify": {"confirmed": 4}}
    reads = vendor.reads
    assert (await verify(world, plan_id, clock, vendor), vendor.reads) == ({}, reads)
    assert clock.slept == []


async def test_a_request_is_looked_at_once_and_not_asked_for_again_until_it_has_waited_too_long(world, clock):
    world.execute("INSERT INTO policy.requests VALUES ('shopify', 'prices', 3 * 86400)")
    plan_id, vendor = await pushed(world, clock, lag=1000, settles_within=timedelta(days=3))
    assert await verify(world, plan_id, clock, vendor) == {"shopify": {"settling": 4}}
    assert clock.slept == []
    asked = f"Asked for on {AS_OF:%Y-%m-%d}; shopify has not shown it carried out yet."
    approved = "The policy approves prices.amount under caps; changed by its source of truth."
    for night, expected in {1: ("hold", asked), 2: ("hold", asked), 3: ("approve", approved)}.items():
        clock.at = AS_OF + timedelta(days=night)
        start_night(world, night + 1)
        rows = plan_rows(world, build_plan(world, lane="main", clock=clock))
        assert {(row["disposition"], row["disposition_reason"]) for row in rows} == {expected}
        assert {(row["is_new"], row["is_releasable"]) for row in rows} == {(False, False)}


async def test_a_request_for_another_value_does_not_wait_for_the_one_before(world, clock):
    world.execute("INSERT INTO policy.requests VALUES ('shopify', 'prices', 3 * 86400)")
    plan_id, vendor = await pushed(world, clock, count=1, lag=1000, settles_within=timedelta(days=3))
    await verify(world, plan_id, clock, vendor)
    world.execute("DELETE FROM reconcile.drift")
    insert(world, "reconcile.drift", [drift(vendor_id="v0", desired="1150")])
    start_night(world, 2)
    [row] = plan_rows(world, build_plan(world, lane="main", clock=clock))
    assert (row["disposition"], row["is_new"]) == ("approve", True)


async def test_a_request_that_was_carried_out_and_undone_is_asked_for_anew(world, clock):
    world.execute("INSERT INTO policy.requests VALUES ('shopify', 'prices', 3 * 86400)")
    plan_id, vendor = await pushed(world, clock, count=1, settles_within=timedelta(days=3))
    assert await verify(world, plan_id, clock, vendor) == {"shopify": {"confirmed": 1}}
    start_night(world, 2)
    [row] = plan_rows(world, build_plan(world, lane="main", clock=clock))
    assert row["disposition"] == "approve"


async def test_a_third_value_is_overwritten_and_a_missing_record_unconfirmed(world, clock):
    plan_id, vendor = await pushed(world, clock)
    vendor.values["prices", "amount", "v1", "base"] = "1234"
    del vendor.values["prices", "amount", "v2", "base"]
    await verify(world, plan_id, clock, vendor)
    assert verdicts(world) == {"v0": "confirmed", "v1": "overwritten", "v2": "unconfirmed", "v3": "confirmed"}


async def test_a_vendor_that_lags_is_given_a_minute(world, clock):
    plan_id, vendor = await pushed(world, clock, lag=2)
    assert await verify(world, plan_id, clock, vendor) == {"shopify": {"confirmed": 4}}
    assert clock.slept == [5.0, 15.0]


async def test_after_the_minute_it_is_settling_and_may_be_confirmed_another_time(world, clock):
    plan_id, vendor = await pushed(world, clock, lag=4)
    assert await verify(world, plan_id, clock, vendor) == {"shopify": {"settling": 4}}
    assert clock.slept == [5.0, 15.0, 40.0]
    assert await verify(world, plan_id, clock, vendor) == {"shopify": {"confirmed": 4}}


async def test_a_level_that_stood_is_not_proven_by_a_sale_that_brings_it_where_it_should_be(world, clock):
    place = {"entity": "stock", "field": "on_hand", "vendor_sub_id": "L1", "drift_class": "explained"}
    rows = [drift("square", vendor_id=f"v{i}", observed="10", base="10", desired="9", **place) for i in range(3)]
    insert(world, "reconcile.drift", rows)
    plan_id = build_plan(world, lane="main", clock=clock)
    approve_by_policy(world, plan_id, armed=ARMED, clock=clock)
    told = {row["vendor_id"]: row["correction_key"] for row in plan_rows(world, plan_id)}
    world.executemany("INSERT INTO ledger.sync.told VALUES (?, ?, 'shopify', 'm1')", [
        [plan_id, told["v0"]], [plan_id, told["v1"]],
    ])
    vendor = FakeVendor("square", clock, distort=lambda value: "10")
    vendor.values = {("stock", "on_hand", f"v{i}", "L1"): "10" for i in range(3)}
    await push_plan(world, plan_id, {"square": vendor.session()}, armed=ARMED, clock=clock)
    assert await verify(world, plan_id, clock, vendor) == {"square": {"settling": 3}}
    clock.at += timedelta(days=1)
    vendor.values |= {("stock", "on_hand", f"v{i}", "L1"): level for i, level in enumerate(("9", "8", "9"))}
    assert await verify(world, plan_id, clock, vendor) == {"square": {"settling": 1, "overwritten": 1, "confirmed": 1}}
    assert verdicts(world) == {"v0": "settling", "v1": "overwritten", "v2": "confirmed"}, "v2 had nobody to tell of"


async def test_a_system_that_cannot_be_read_leaves_its_rows_unconfirmed(world, clock):
    plan_id, vendor = await pushed(world, clock)
    vendor.is_deaf = True
    assert await verify(world, plan_id, clock, vendor) == {"shopify": {"unconfirmed": 4}}
    assert await verify(world, plan_id, clock) == {"shopify": {"unconfirmed": 4}}


@pytest.mark.parametrize(("fault", "status", "code"), [
    ("lost_after", "applied", "read_back"), ("lost_before", "skipped", "not_applied"),
])
async def test_a_write_of_unknown_end_is_settled_by_verify(world, clock, fault, status, code):
    plan_id, vendor = await pushed(world, clock, faults={1: fault}, has_key=False, is_deaf=True)
    vendor.is_deaf = False
    await verify(world, plan_id, clock, vendor)
    found = world.execute("SELECT DISTINCT arg_max(status, rowid) OVER w, arg_max(code, rowid) OVER w "
                          "FROM ledger.sync.outcomes WINDOW w AS (PARTITION BY correction_key)").fetchall()
    assert found == [(status, code)]


@pytest.mark.parametrize(("entity", "field", "left", "right", "same"), [
    ("prices", "amount", "1299", "1299", True),
    ("prices", "amount", "1299", "01299", True),
    ("prices", "amount", "1299", "12.99", False),
    ("prices", "compare_at", None, "", True),
    ("prices", "compare_at", None, "0", False),
    ("stock", "available", "0", None, False),
    ("items", "gtin", "04006381333931", "4006381333931", True),
    ("items", "gtin", "04006381333931", "96385074", False),
    ("customers", "phone", "+33612345678", "06 12 34 56 78", True),
    ("customers", "phone", "+41791234567", "079 123 45 67", True),
    ("customers", "phone", "+33612345678", "06 12 34 56 79", False),
    ("customers", "city", "Saint-Étienne", "Saint-E\u0301tienne ", True),
    ("customers", "city", "Lyon", "lyon", False),
    ("consents", "state", "no", "yes", False),
])
def test_two_spellings_of_one_value(world, entity, field, left, right, same):
    row = Correction("key", "plan", "shopify", entity, field, "v1", "", "i1", "", observed=None, desired=None)
    assert is_same(world, row, left, right) is same
    assert is_same(world, row, right, left) is same


def asked(vendor_id):
    """A permission to write, and a reading of its place."""
    row = Correction(
        "key", "plan", "mailchimp", "consents", "state", vendor_id, "list", "c1", "email:news",
        observed=None if vendor_id.startswith("new:") else "yes", desired="pending",
    )

    def reading(value, *, exists):
        return Reading("mailchimp", "consents", "state", vendor_id, "list", value, exists=exists)

    return row, reading


def test_a_record_is_made_only_where_there_is_none(world):
    row, reading = asked("new:c1")
    assert before_write(world, row, reading(None, exists=False)) is None
    there = before_write(world, row, reading("no", exists=True))
    assert (there.status, there.code) == (OutcomeStatus.STALE, "exists")
    unread = before_write(world, row, None)
    assert unread.status is OutcomeStatus.STALE, "what could not be looked at is not made"
    member, reading = asked("m1")
    assert before_write(world, member, reading(None, exists=False)).code == "gone"


def test_a_lost_answer_to_a_new_record_is_told_by_whether_it_is_there(world):
    row, reading = asked("new:c1")
    assert after_doubt(world, row, reading("pending", exists=True)).status is OutcomeStatus.APPLIED
    missing = after_doubt(world, row, reading(None, exists=False))
    assert (missing.status, missing.code) == (OutcomeStatus.SKIPPED, "not_applied")
    said = Outcome(row.correction_key, OutcomeStatus.APPLIED, "asked", "the request waits")
    assert after_doubt(world, row, reading(None, exists=False), said) == said, "a request that waits is not made yet"
    assert after_doubt(world, row, reading("pending", exists=True), said).code == "read_back"
    gone, reading = asked("m1")
    assert after_doubt(world, gone, reading(None, exists=False), said).code == "gone"
