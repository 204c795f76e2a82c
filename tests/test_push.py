"""Push: approvals, identity, the kill switch, lost answers, refused batches, canaries, crashes and resumes."""

from contextlib import suppress
from datetime import timedelta
from math import ceil, log2

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.approve import approve_by_policy
from pipelines.arming.armings import Armed, Arming
from pipelines.errors import LeaseHeld, StalePlan
from pipelines.plan import build_plan
from pipelines.push import push_plan, settle_unknown
from pipelines.verify import verify_plan
from tests.arming import ARMED, EVERYTHING, FAR
from tests.audit import relinked
from tests.law import law
from tests.plan.vendor import Crash, FakeVendor
from tests.plan.world import VirtualClock, consent, drift, fresh, insert, plan_rows, policy, start_night


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def world():
    con = fresh()
    policy(con)
    return con


def prices(count, system="shopify", **rest):
    return [drift(system, vendor_id=f"v{i:03d}", **rest) for i in range(count)]


def plan(con, clock, *rows, lane="main", approve=True):
    table = "reconcile.drift" if lane == "main" else "reconcile.consent_drift"
    con.execute(f"DELETE FROM {table}")
    insert(con, table, rows)
    plan_id = build_plan(con, lane=lane, clock=clock)
    if approve:
        approve_by_policy(con, plan_id, armed=ARMED, clock=clock)
    return plan_id


def vendor_for(con, plan_id, clock, name="shopify", **rest):
    vendor = FakeVendor(name, clock, **rest)
    for row in plan_rows(con, plan_id):
        if row["system"] == name:
            vendor.values[row["entity"], row["field"], row["vendor_id"], row["vendor_sub_id"]] = row["observed"]
    return vendor


async def push(con, plan_id, clock, *vendors, **rest):
    return await push_plan(con, plan_id, {v.name: v.session() for v in vendors}, armed=ARMED, clock=clock, **rest)


def outcomes(con):
    """Last outcome (status, code) by vendor id."""
    return {
        vendor_id: (status, code)
        for vendor_id, status, code in con.execute(
            "SELECT c.vendor_id, arg_max(o.status, o.rowid), arg_max(o.code, o.rowid) FROM ledger.sync.outcomes AS o "
            "JOIN ledger.sync.corrections AS c USING (plan_id, correction_key) GROUP BY c.vendor_id"
        ).fetchall()
    }


def by_person(con, row):
    """Make a row's approval one of Ana's, which lives 7 days."""
    said = "UPDATE ledger.sync.approvals SET approver = 'Ana', valid_until = valid_until + INTERVAL 7 DAY "
    con.execute(said + "WHERE correction_key = ?", [row["correction_key"]])
    con.execute(
        "INSERT INTO ledger.sync.answers SELECT 'word of ' || $key, $key, 'approve', 'Ana', 'I asked', NULL, "
        "g.approved_at FROM ledger.sync.approvals AS g WHERE g.correction_key = $key", {"key": row["correction_key"]},
    )
    relinked(con)


def arming_of(*systems, until=FAR):
    """An arming of all of these systems."""
    scope = msgspec.structs.replace(EVERYTHING, systems=systems)
    return Arming(policy_hash="", scope=scope, until=until, author="Ana", reason="tests", at=FAR)


def open_intents(con):
    return con.execute("SELECT count(*) FROM ledger.sync.intents WHERE state <> 'settled'").fetchone()[0]


async def test_approved_rows_are_written_in_batches_and_every_row_has_an_outcome(world, clock):
    plan_id = plan(world, clock, *prices(7))
    vendor = vendor_for(world, plan_id, clock, batch_max=3)
    report = await push(world, plan_id, clock, vendor)
    assert [len(call) for call in vendor.calls] == [3, 3, 1]
    assert set(vendor.values.values()) == {"1100"}
    assert (report.systems["shopify"].counts, report.is_partial) == ({"applied": 7}, False)
    assert open_intents(world) == 0
    assert world.execute("SELECT count(*), count(DISTINCT vendor_key) FROM ledger.sync.intents").fetchone() == (7, 3)
    again = await push(world, plan_id, clock, vendor)
    assert (len(vendor.calls), again.systems) == (3, {})


async def test_without_an_approval_of_this_fingerprint_nothing_is_sent(world, clock):
    plan_id = plan(world, clock, *prices(2), approve=False)
    vendor = vendor_for(world, plan_id, clock)
    await push(world, plan_id, clock, vendor)
    approve_by_policy(world, plan_id, armed=ARMED, clock=clock)
    world.execute("UPDATE ledger.sync.approvals SET fingerprint = 'another'")
    relinked(world)
    await push(world, plan_id, clock, vendor)
    assert vendor.calls == []


@pytest.mark.parametrize("column", ["desired", "vendor_id", "context", "disposition_reason", "observed"])
async def test_a_changed_plan_is_not_applied(world, clock, column):
    plan_id = plan(world, clock, *prices(2))
    vendor = vendor_for(world, plan_id, clock)
    world.execute(f"UPDATE ledger.sync.corrections SET {column} = {column} || '0' WHERE vendor_id = 'v001'")
    with pytest.raises(StalePlan):
        await push(world, plan_id, clock, vendor)
    assert vendor.calls == []


async def test_only_what_is_approved_goes(world, clock):
    held, refused = drift(vendor_id="held", drift_class="both"), drift(vendor_id="zero", desired="0")
    plan_id = plan(world, clock, drift(), held, refused)
    vendor = vendor_for(world, plan_id, clock)
    await push(world, plan_id, clock, vendor)
    assert outcomes(world) == {"v1": ("applied", "")}


async def test_another_shop_gets_nothing(world, clock):
    plan_id = plan(world, clock, *prices(2), *prices(2, "hubspot"))
    stranger = vendor_for(world, plan_id, clock, shop_id="another")
    hubspot = vendor_for(world, plan_id, clock, "hubspot")
    report = await push(world, plan_id, clock, stranger, hubspot)
    assert (len(stranger.calls), len(hubspot.calls)) == (0, 1)
    assert "another" in report.systems["shopify"].stopped
    assert report.systems["shopify"].counts == {"skipped": 2}


async def test_the_kill_switch_is_read_before_every_batch_and_the_push_goes_on_later(world, clock, tmp_path):
    plan_id = plan(world, clock, *prices(6))
    switch = tmp_path / "stop"
    vendor = vendor_for(world, plan_id, clock, batch_max=2)
    vendor.on_call = lambda number: switch.touch() if number == 2 else None
    report = await push(world, plan_id, clock, vendor, kill_switch=switch)
    assert len(vendor.calls) == 2
    assert sorted(outcomes(world).values()) == [("applied", "")] * 4 + [("skipped", "kill_switch")] * 2
    assert report.is_partial and report.systems["shopify"].stopped == "the kill switch is on"
    switch.unlink()
    await push(world, plan_id, clock, vendor, kill_switch=switch)
    assert set(outcomes(world).values()) == {("applied", "")}


@pytest.mark.parametrize(("fault", "ends"), [
    ("lost_before", ("skipped", "kill_switch")), ("lost_after", ("applied", "read_back")),
])
@pytest.mark.parametrize("has_key", [True, False])
async def test_stopped_meanwhile_a_batch_is_not_sent_again_when_its_answer_is_lost(
    world, clock, tmp_path, fault, ends, has_key
):
    plan_id = plan(world, clock, *prices(2))
    vendor = vendor_for(world, plan_id, clock, has_key=has_key, faults={1: fault})
    vendor.on_call = lambda number: (tmp_path / "stop").touch()
    await push(world, plan_id, clock, vendor, kill_switch=tmp_path / "stop")
    assert len(vendor.calls) == 1
    assert set(outcomes(world).values()) == {ends} and open_intents(world) == 0


async def test_stopped_meanwhile_no_part_of_a_refused_batch_is_sent(world, clock, tmp_path):
    plan_id = plan(world, clock, *prices(4))
    bad = {plan_rows(world, plan_id)[0]["correction_key"]}
    vendor = vendor_for(world, plan_id, clock, refuses_whole=True, bad=bad)
    vendor.on_call = lambda number: (tmp_path / "stop").touch()
    await push(world, plan_id, clock, vendor, kill_switch=tmp_path / "stop")
    assert len(vendor.calls) == 1 and set(outcomes(world).values()) == {("skipped", "kill_switch")}


@pytest.mark.parametrize("made", ["touch", "mkdir"])
async def test_stopped_no_opt_out_goes_out_either(world, clock, tmp_path, made):
    plan_id = plan(world, clock, consent(), lane="suppression")
    vendor = vendor_for(world, plan_id, clock, "mailchimp")
    getattr(tmp_path / "stop", made)()
    report = await push(world, plan_id, clock, vendor, kill_switch=tmp_path / "stop")
    assert vendor.calls == [] and report.systems["mailchimp"].stopped == "the kill switch is on"


async def test_a_lost_lease_stops_before_the_next_call(world, clock):
    class Fence:
        checks = 0

        def check(self):
            self.checks += 1
            if self.checks > 2:
                raise LeaseHeld("another run is writing")

    plan_id = plan(world, clock, *prices(6))
    vendor = vendor_for(world, plan_id, clock, batch_max=2)
    with pytest.raises(LeaseHeld):
        await push(world, plan_id, clock, vendor, fence=Fence())
    assert len(vendor.calls) == 1


async def test_an_approval_of_the_policy_dies_with_the_plans_age(world, clock):
    plan_id = plan(world, clock, *prices(2))
    vendor = vendor_for(world, plan_id, clock)
    clock.at += timedelta(minutes=61)
    await push(world, plan_id, clock, vendor)
    assert vendor.calls == []
    assert set(outcomes(world).values()) == {("skipped", "expired")}


async def test_an_approval_that_has_run_out_closes_its_own_row_alone(world, clock):
    plan_id = plan(world, clock, *prices(3))
    by_person(world, plan_rows(world, plan_id)[1])
    vendor = vendor_for(world, plan_id, clock)
    clock.at += timedelta(hours=8)
    await push(world, plan_id, clock, vendor)
    expired = ("skipped", "expired")
    assert outcomes(world) == {"v000": expired, "v001": ("applied", ""), "v002": expired}
    assert ([len(call) for call in vendor.calls], open_intents(world)) == ([1], 0)


async def test_an_approval_whose_word_is_void_by_now_lets_nothing_go(world, clock):
    plan_id = plan(world, clock, *prices(3))
    for row in plan_rows(world, plan_id)[:2]:
        by_person(world, row)
    void = "word of " + plan_rows(world, plan_id)[0]["correction_key"]
    world.execute("INSERT INTO ledger.sync.void_answers VALUES (?, 'her key is withdrawn', ?)", [void, clock.now()])
    vendor = vendor_for(world, plan_id, clock)
    await push(world, plan_id, clock, vendor)
    assert sorted(place[2] for place, _ in vendor.effects) == ["v001", "v002"]


async def test_stopped_while_a_row_is_read_back_it_is_not_written(world, clock, tmp_path):
    plan_id = plan(world, clock, *prices(2))
    vendor = vendor_for(world, plan_id, clock, needs_check=True, has_key=False)
    vendor.on_read = (tmp_path / "stop").touch
    await push(world, plan_id, clock, vendor, kill_switch=tmp_path / "stop")
    assert vendor.calls == [] and set(outcomes(world).values()) == {("skipped", "kill_switch")}
    assert open_intents(world) == 0


async def test_approvals_that_run_out_during_a_push_close_no_others(world, clock):
    plan_id = plan(world, clock, *prices(4))
    for row in plan_rows(world, plan_id)[1::2]:
        by_person(world, row)
    vendor = vendor_for(world, plan_id, clock, batch_max=2, refuses_whole=True)

    def an_hour_goes_by(number):
        clock.at += timedelta(minutes=61)

    vendor.on_call = an_hour_goes_by
    vendor.bad = {plan_rows(world, plan_id)[0]["correction_key"]}
    await push(world, plan_id, clock, vendor)
    applied, expired = ("applied", ""), ("skipped", "expired")
    assert outcomes(world) == {"v000": expired, "v001": applied, "v002": expired, "v003": applied}
    assert open_intents(world) == 0


async def test_a_price_of_the_day_is_not_written_after_midnight(world, clock):
    plan_id = plan(world, clock, *prices(2, desired_until=clock.at + timedelta(minutes=10)))
    vendor = vendor_for(world, plan_id, clock)
    clock.at += timedelta(minutes=11)
    await push(world, plan_id, clock, vendor)
    assert vendor.calls == []
    assert set(outcomes(world).values()) == {("skipped", "expired")}


async def test_where_the_vendor_cannot_compare_the_value_is_read_just_before(world, clock):
    plan_id = plan(world, clock, *prices(4))
    vendor = vendor_for(world, plan_id, clock, needs_check=True, has_key=False)
    vendor.values["prices", "amount", "v001", "base"] = "1234"
    vendor.values["prices", "amount", "v002", "base"] = "1100"
    del vendor.values["prices", "amount", "v003", "base"]
    await push(world, plan_id, clock, vendor)
    assert outcomes(world) == {
        "v000": ("applied", ""), "v001": ("stale", "moved"), "v002": ("skipped", "already"), "v003": ("stale", "gone"),
    }
    assert [len(call) for call in vendor.calls] == [1]
    assert open_intents(world) == 0


async def test_a_persons_approval_dies_by_row_where_the_value_has_moved(world, clock):
    """The row is read by id just before, though the vendor could compare by itself; the others go."""
    plan_id = plan(world, clock, *prices(3))
    for row in plan_rows(world, plan_id):
        by_person(world, row)
    vendor = vendor_for(world, plan_id, clock, has_cas=True)
    vendor.values["prices", "amount", "v001", "base"] = "1250"
    clock.at += timedelta(days=2)
    await push(world, plan_id, clock, vendor)
    assert outcomes(world) == {"v000": ("applied", ""), "v001": ("stale", "moved"), "v002": ("applied", "")}
    assert vendor.values["prices", "amount", "v001", "base"] == "1250"
    await push(world, plan_id, clock, vendor)
    assert len(vendor.effects) == 2, "what has died stays so"


async def test_what_is_approved_and_not_armed_any_more_is_left_out_with_the_reason(world, clock):
    plan_id = plan(world, clock, *prices(2), *prices(2, "hubspot"))
    shopify, hubspot = vendor_for(world, plan_id, clock), vendor_for(world, plan_id, clock, "hubspot")
    report = await push_plan(
        world, plan_id, {v.name: v.session() for v in (shopify, hubspot)}, clock=clock,
        armed=Armed((arming_of("shopify"),)),
    )
    assert (len(shopify.effects), len(hubspot.effects)) == (2, 0)
    assert report.systems["hubspot"].counts == {"skipped": 2}
    told = "SELECT DISTINCT code, message FROM ledger.sync.outcomes WHERE status = 'skipped'"
    assert world.execute(told).fetchall() == [("unarmed", "no arming that counts now covers it")]
    await push_plan(world, plan_id, {"hubspot": hubspot.session()}, clock=clock, armed=Armed((), "it has ended"))
    assert hubspot.effects == []
    await push(world, plan_id, clock, hubspot)
    assert len(hubspot.effects) == 2, "it goes once it is armed, while its approval lives"


async def test_an_arming_that_ends_during_a_push_lets_no_further_batch_go(world, clock):
    plan_id = plan(world, clock, *prices(6))
    vendor = vendor_for(world, plan_id, clock, batch_max=2)

    def ten_minutes(number):
        clock.at += timedelta(minutes=10)

    vendor.on_call = ten_minutes
    armed = Armed((arming_of("shopify", until=clock.at + timedelta(minutes=15)),))
    await push_plan(world, plan_id, {"shopify": vendor.session()}, clock=clock, armed=armed)
    assert len(vendor.calls) == 2
    assert sorted(outcomes(world).values())[-2:] == [("skipped", "expired")] * 2


async def test_several_plans_of_a_day_are_no_way_past_the_rows_that_are_armed(world, clock):
    scope = msgspec.structs.replace(EVERYTHING, max_rows=5)
    armed = Armed((msgspec.structs.replace(arming_of("shopify"), scope=scope),))
    rows = prices(6)
    assert approve_by_policy(world, plan(world, clock, *rows, approve=False), armed=armed, clock=clock) == 0
    assert approve_by_policy(world, plan(world, clock, *rows[:3], approve=False), armed=armed, clock=clock) == 3
    assert approve_by_policy(world, plan(world, clock, *rows[3:], approve=False), armed=armed, clock=clock) == 0
    start_night(world, 2)
    assert approve_by_policy(world, plan(world, clock, *rows[3:], approve=False), armed=armed, clock=clock) == 3


@pytest.mark.parametrize("bad_count", [1, 3])
async def test_a_refused_batch_is_halved_until_the_bad_rows_stand_alone(world, clock, bad_count):
    size = 16
    plan_id = plan(world, clock, *prices(size))
    vendor = vendor_for(world, plan_id, clock, refuses_whole=True)
    vendor.bad = {row["correction_key"] for row in plan_rows(world, plan_id)[3 : 3 + bad_count]}
    await push(world, plan_id, clock, vendor)
    assert len(vendor.calls) <= 2 * bad_count * ceil(log2(size)) + 1
    statuses = [status for status, _ in outcomes(world).values()]
    assert (statuses.count("applied"), statuses.count("rejected")) == (size - bad_count, bad_count)
    counted = "SELECT count(DISTINCT vendor_key), count(DISTINCT batch_id) FROM ledger.sync.intents"
    assert world.execute(counted).fetchone() == (len(vendor.calls), len(vendor.calls))


async def test_partial_success_is_recorded_row_by_row(world, clock):
    plan_id = plan(world, clock, *prices(5))
    vendor = vendor_for(world, plan_id, clock)
    vendor.bad = {plan_rows(world, plan_id)[2]["correction_key"]}
    await push(world, plan_id, clock, vendor)
    assert len(vendor.calls) == 1
    assert outcomes(world)["v002"] == ("rejected", "BAD")


@pytest.mark.parametrize("fault", ["lost_after", "lost_before"])
@pytest.mark.parametrize("kind", [{"has_key": True}, {"has_key": False, "has_cas": True}, {"has_key": False}])
async def test_a_lost_answer_neither_doubles_nor_loses(world, clock, fault, kind):
    plan_id = plan(world, clock, *prices(5))
    vendor = vendor_for(world, plan_id, clock, faults={1: fault}, **kind)
    await push(world, plan_id, clock, vendor)
    assert [value for _, value in vendor.effects] == ["1100"] * 5
    assert {status for status, _ in outcomes(world).values()} == {"applied"}
    assert open_intents(world) == 0


async def test_the_same_bytes_go_out_under_the_same_key_and_another_attempt_under_another(world, clock):
    plan_id = plan(world, clock, *prices(3))
    keyed = vendor_for(world, plan_id, clock, faults={1: "lost_before"})
    await push(world, plan_id, clock, keyed)
    assert keyed.calls[0] == keyed.calls[1]
    assert world.execute("SELECT count(DISTINCT vendor_key) FROM ledger.sync.intents").fetchone() == (1,)


async def test_what_cannot_be_told_is_unknown_held_by_the_planner_and_settled_later(world, clock):
    rows = prices(3)
    plan_id = plan(world, clock, *rows)
    vendor = vendor_for(world, plan_id, clock, has_key=False, faults={1: "lost_after"}, is_deaf=True)
    report = await push(world, plan_id, clock, vendor)
    assert set(outcomes(world).values()) == {("unknown", "no_answer")}
    assert report.systems["shopify"].stopped
    held = plan_rows(world, plan(world, clock, *rows))
    assert {row["disposition"] for row in held} == {"hold"}
    assert await settle_unknown(world, {"shopify": vendor.session()}, clock=clock) == {"unread": 3}
    vendor.is_deaf = False
    assert await settle_unknown(world, {"shopify": vendor.session()}, clock=clock) == {"applied": 3}
    assert set(outcomes(world).values()) == {("applied", "read_back")}
    assert {row["disposition"] for row in plan_rows(world, plan(world, clock, *rows))} == {"approve"}


REQUEST = {"lag": 1000, "settles_within": timedelta(days=3)}


@pytest.mark.parametrize("fault", ["retriable", "fatal", "credential"])
@pytest.mark.parametrize(("has_left", "end"), [(True, ("applied", "filed")), (False, ("skipped", "not_applied"))])
async def test_whether_a_request_was_made_its_writer_says_and_no_reading(world, clock, fault, has_left, end):
    plan_id = plan(world, clock, *prices(3))
    vendor = vendor_for(world, plan_id, clock, faults={1: fault}, has_left=has_left, **REQUEST)
    await push(world, plan_id, clock, vendor)
    assert set(outcomes(world).values()) == {end}
    [(keys, key)] = vendor.asked
    assert sorted(keys) == sorted(vendor.calls[0])
    assert world.execute("SELECT DISTINCT vendor_key FROM ledger.sync.intents").fetchall() == [(key,)]
    assert len(vendor.calls) == 1, "not sent again"


@pytest.mark.parametrize("fault", ["crash_after", "retriable"])
async def test_a_request_of_unknown_end_is_settled_by_its_writer_with_the_whole_batch(world, clock, fault):
    plan_id = plan(world, clock, *prices(3))
    vendor = vendor_for(world, plan_id, clock, faults={1: fault}, has_left=True, is_deaf=True, **REQUEST)
    with suppress(Crash):
        await push(world, plan_id, clock, vendor)
    assert await settle_unknown(world, {"shopify": vendor.session()}, clock=clock) == {"unread": 3}
    assert vendor.asked == []
    vendor.is_deaf = False
    await verify_plan(world, plan_id, {"shopify": vendor.session()}, clock=clock)
    assert ("skipped", "not_applied") not in outcomes(world).values(), "no reading can tell"
    assert await settle_unknown(world, {"shopify": vendor.session()}, clock=clock) == {"applied": 3}
    assert set(outcomes(world).values()) == {("applied", "filed")}
    [(keys, key)] = vendor.asked
    assert sorted(keys) == sorted(vendor.calls[0])
    assert world.execute("SELECT DISTINCT vendor_key, state FROM ledger.sync.intents").fetchall() == [(key, "settled")]


@pytest.mark.parametrize(("fault", "rest"), [("fatal", 2), ("credential", 2), ("retriable", 2)])
async def test_a_fatal_error_stops_that_system_only(world, clock, fault, rest):
    plan_id = plan(world, clock, *prices(6), *prices(6, "hubspot"))
    shopify = vendor_for(world, plan_id, clock, batch_max=2, faults={2: fault})
    hubspot = vendor_for(world, plan_id, clock, "hubspot", batch_max=2)
    report = await push(world, plan_id, clock, shopify, hubspot)
    assert (len(shopify.calls), len(hubspot.calls)) == (2, 3)
    assert report.systems["hubspot"].counts == {"applied": 6}
    assert report.systems["shopify"].counts == {"applied": 2, "skipped": 4}
    assert report.systems["shopify"].stopped


@pytest.mark.parametrize("distort", [lambda value: "1", lambda value: value + "00"])
async def test_a_canary_stops_the_field_after_twenty_rows(world, clock, distort):
    plan_id = plan(world, clock, *prices(45))
    vendor = vendor_for(world, plan_id, clock, distort=distort)
    await push(world, plan_id, clock, vendor)
    assert len(vendor.effects) == 20
    codes = [code for _, code in outcomes(world).values()]
    assert codes.count("canary") == 25


async def test_a_canary_that_sings_lets_the_rest_through_even_where_the_vendor_lags(world, clock):
    plan_id = plan(world, clock, *prices(45))
    vendor = vendor_for(world, plan_id, clock, lag=1)
    await push(world, plan_id, clock, vendor)
    assert [len(call) for call in vendor.calls] == [20, 25]
    assert clock.slept == [2.0]


async def test_a_canary_of_requests_sings_when_they_are_taken_for_nothing_can_be_read_yet(world, clock):
    plan_id = plan(world, clock, *prices(45))
    vendor = vendor_for(world, plan_id, clock, lag=1000, settles_within=timedelta(days=7))
    await push(world, plan_id, clock, vendor)
    assert [len(call) for call in vendor.calls] == [20, 25]
    assert (vendor.reads, clock.slept) == (0, [])


async def test_requests_that_are_refused_are_a_canary_too(world, clock):
    rows = prices(45)
    plan_id = plan(world, clock, *rows)
    vendor = vendor_for(world, plan_id, clock, settles_within=timedelta(days=7))
    vendor.bad = {row["correction_key"] for row in plan_rows(world, plan_id)}
    await push(world, plan_id, clock, vendor)
    assert [len(call) for call in vendor.calls] == [20]


async def test_several_batches_are_in_flight(world, clock):
    plan_id = plan(world, clock, *prices(10))
    vendor = vendor_for(world, plan_id, clock, batch_max=1, max_in_flight=4)
    await push(world, plan_id, clock, vendor)
    assert len(vendor.effects) == 10
    assert open_intents(world) == 0


async def test_a_record_stays_in_one_batch(world, clock):
    rows = [drift(vendor_id=f"v{i}", field=f) for i in range(4) for f in ("amount", "compare_at")]
    plan_id = plan(world, clock, *rows)
    vendor = vendor_for(world, plan_id, clock, batch_max=3)
    await push(world, plan_id, clock, vendor)
    assert [len(call) for call in vendor.calls] == [2, 2, 2, 2]


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
@pytest.mark.parametrize("has_key", [True, False])
async def test_a_crash_is_resumed_without_double_or_loss(world, clock, fault, has_key):
    plan_id = plan(world, clock, *prices(6))
    vendor = vendor_for(world, plan_id, clock, batch_max=2, faults={2: fault}, has_key=has_key)
    with pytest.raises(Crash):
        await push(world, plan_id, clock, vendor)
    assert world.execute("SELECT count(*) FROM ledger.sync.intents WHERE state = 'sent'").fetchone() == (2,)
    await push(world, plan_id, clock, vendor)
    assert sorted(place[2] for place, _ in vendor.effects) == [f"v{i:03d}" for i in range(6)]
    assert {status for status, _ in outcomes(world).values()} == {"applied"}
    assert open_intents(world) == 0


def customer(**rest):
    return drift("mailchimp", "customers", "city", vendor_sub_id="", observed="Lyon", desired="Paris") | rest


async def night_with_opt_out(world, clock, *, is_refused=False, **rest):
    """Suppression lane, then a customer write of the same system; the outcomes."""
    opt_outs = plan(world, clock, consent(vendor_id="optout"), lane="suppression")
    vendor = vendor_for(world, opt_outs, clock, "mailchimp", **rest)
    if is_refused:
        vendor.bad = {row["correction_key"] for row in plan_rows(world, opt_outs)}
    await push(world, opt_outs, clock, vendor)
    main = plan(world, clock, customer(vendor_id="other"), customer(vendor_id="optout"))
    for row in plan_rows(world, main):
        vendor.values["customers", "city", row["vendor_id"], ""] = "Lyon"
    vendor.faults = {}
    await push(world, main, clock, vendor)
    return {
        (entity, vendor_id): (status, code)
        for entity, vendor_id, status, code in world.execute(
            "SELECT c.entity, c.vendor_id, o.status, o.code FROM ledger.sync.outcomes AS o "
            "JOIN ledger.sync.corrections AS c USING (plan_id, correction_key)"
        ).fetchall()
    }


async def test_opt_outs_go_first_and_customers_after(world, clock):
    assert set((await night_with_opt_out(world, clock)).values()) == {("applied", "")}


async def test_where_opt_outs_did_not_go_out_no_customer_is_written(world, clock):
    found = await night_with_opt_out(world, clock, faults={1: "credential"})
    assert found["consents", "optout"] == ("skipped", "stopped")
    assert found["customers", "other"] == ("skipped", "opt_outs")


async def test_a_refused_opt_out_keeps_back_that_record_alone(world, clock):
    found = await night_with_opt_out(world, clock, is_refused=True)
    assert found["customers", "optout"] == ("skipped", "opt_outs")
    assert found["customers", "other"] == ("applied", "")


async def test_without_a_plan_of_opt_outs_no_customer_is_written(world, clock):
    plan_id = plan(world, clock, customer(), drift())
    mailchimp, shopify = vendor_for(world, plan_id, clock, "mailchimp"), vendor_for(world, plan_id, clock)
    await push(world, plan_id, clock, mailchimp, shopify)
    assert (mailchimp.calls, len(shopify.calls)) == ([], 1)


async def test_opt_outs_have_no_canary_and_no_cap(world, clock):
    plan_id = plan(world, clock, *(consent(vendor_id=f"m{i}") for i in range(60)), lane="suppression")
    vendor = vendor_for(world, plan_id, clock, "mailchimp")
    await push(world, plan_id, clock, vendor)
    assert [len(call) for call in vendor.calls] == [60]


FAULTS = st.dictionaries(
    st.integers(1, 12),
    st.sampled_from(["lost_after", "lost_before", "crash_before", "crash_after", "retriable", "fatal", "credential"]),
    max_size=5,
)


@law(15, holds=14, of=lambda count: count)
@given(
    faults=FAULTS, count=st.integers(14, 20), batch_max=st.integers(1, 7), in_flight=st.integers(1, 3),
    kind=st.sampled_from([{"has_key": True}, {"has_key": False, "has_cas": True},
                          {"has_key": False, "needs_check": True}]),
)
async def test_any_faults_end_in_each_value_written_once(faults, count, batch_max, in_flight, kind):
    con, clock = fresh(), VirtualClock()
    policy(con)
    plan_id = plan(con, clock, *prices(count))
    vendor = vendor_for(con, plan_id, clock, batch_max=batch_max, max_in_flight=in_flight, faults=faults, **kind)
    for _ in range(12):
        try:
            await push(con, plan_id, clock, vendor)
        except Crash:
            continue
        if {status for status, _ in outcomes(con).values()} == {"applied"}:
            break
    assert sorted(place[2] for place, _ in vendor.effects) == [f"v{i:03d}" for i in range(count)]
    assert set(vendor.values.values()) == {"1100"}
    assert open_intents(con) == 0
