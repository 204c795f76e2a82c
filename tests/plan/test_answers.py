"""The four answers to a held row: approve, reject, accept-theirs, pin. They last, until the row changes."""

from datetime import timedelta

import pytest

from pipelines.approve import approve_by_person, approve_by_policy
from pipelines.plan import build_plan
from pipelines.push import push_plan
from tests.arming import ARMED
from tests.plan.vendor import FakeVendor
from tests.plan.world import AS_OF, VirtualClock, consent, drift, fresh, insert, plan_rows, policy, start_night

HELD = {"drift_class": "both"}


@pytest.fixture
def world():
    con = fresh()
    policy(con)
    return con


def planned(con, *rows, lane="main", night=1):
    start_night(con, night)
    table = "reconcile.drift" if lane == "main" else "reconcile.consent_drift"
    con.execute(f"DELETE FROM {table}")
    insert(con, table, rows)
    clock = VirtualClock(AS_OF + timedelta(days=night - 1))
    return plan_rows(con, build_plan(con, lane=lane, clock=clock))


def say(con, row, answer, *, at=AS_OF, until=None, author="Ana"):
    count = con.execute("SELECT count(*) FROM ledger.sync.answers").fetchone()[0]
    insert(con, "ledger.sync.answers", [{
        "answer_id": str(count), "correction_key": row["correction_key"], "answer": answer, "author": author,
        "reason": "I know", "until": until, "at": at,
    }])


def test_an_approved_row_is_approved_in_the_next_plans_for_seven_days(world):
    (row,) = planned(world, drift(**HELD))
    say(world, row, "approve")
    (again,) = planned(world, drift(**HELD), night=2)
    assert (again["disposition"], again["approver"], again["held_since"]) == ("approve", "Ana", AS_OF)
    assert again["disposition_reason"] == "Approved by Ana: I know"
    approve_by_policy(world, "n2-main", armed=ARMED, clock=VirtualClock(AS_OF + timedelta(days=1)))
    assert world.execute("SELECT approver, valid_until FROM ledger.sync.approvals").fetchall() == [
        ("Ana", AS_OF + timedelta(days=7))
    ]
    assert planned(world, drift(**HELD), night=9)[0]["disposition"] == "hold"


@pytest.mark.parametrize("answered", ["before the plan", "after it"])
def test_no_approval_outlives_the_price_that_it_is_of(world, answered):
    """A promotion ends on its last day, whoever approved its price."""
    ends = AS_OF + timedelta(hours=20)
    (row,) = planned(world, drift(**HELD, desired_until=ends))
    say(world, row, "approve")
    if answered == "before the plan":
        planned(world, drift(**HELD, desired_until=ends), night=2)
        approve_by_policy(world, "n2-main", armed=ARMED, clock=VirtualClock(AS_OF + timedelta(hours=1)))
    else:
        approve_by_person(world, "n1-main", armed=ARMED, clock=VirtualClock(AS_OF + timedelta(hours=1)))
    assert world.execute("SELECT approver, valid_until FROM ledger.sync.approvals").fetchall() == [("Ana", ends)]


def test_an_answer_is_to_this_row_and_no_other(world):
    (row,) = planned(world, drift(**HELD))
    say(world, row, "approve")
    assert planned(world, drift(**HELD, desired="1101"), night=2)[0]["disposition"] == "hold"


def test_a_rejected_row_is_listed_and_not_planned_again(world):
    (row,) = planned(world, drift(**HELD))
    say(world, row, "reject")
    for night in (2, 60):
        (again,) = planned(world, drift(**HELD), night=night)
        assert (again["disposition"], again["approver"], again["held_since"]) == ("reject", None, AS_OF)
        assert again["disposition_reason"] == "Rejected by Ana: I know"


def test_a_rejection_binds_what_policy_would_approve(world):
    (row,) = planned(world, drift())
    say(world, row, "reject")
    assert planned(world, drift(), night=2)[0]["disposition"] == "reject"


def test_a_pin_holds_until_its_day(world):
    (row,) = planned(world, drift())
    say(world, row, "pin", until=AS_OF + timedelta(days=3))
    (again,) = planned(world, drift(), night=3)
    assert (again["disposition"], again["disposition_reason"]) == ("pin", "Pinned by Ana until 2026-03-05: I know")
    assert planned(world, drift(), night=4)[0]["disposition"] == "approve"


def test_the_last_word_counts(world):
    (row,) = planned(world, drift(**HELD))
    say(world, row, "reject")
    say(world, row, "approve", at=AS_OF + timedelta(hours=1), author="Bo")
    assert planned(world, drift(**HELD), night=2)[0]["approver"] == "Bo"


def test_a_guard_hears_no_answer(world):
    (row,) = planned(world, drift(desired="0"))
    say(world, row, "approve")
    assert planned(world, drift(desired="0"), night=2)[0]["disposition"] == "refuse"


def test_an_approved_row_is_exempt_from_caps_and_does_not_use_them_up(world):
    world.execute("UPDATE policy.caps SET floor_rows = 1, max_share_pct = 0")
    rows = planned(world, drift(**HELD), drift(vendor_id="v2"), drift(vendor_id="v3"))
    assert {row["disposition"] for row in rows} == {"hold"}
    say(world, rows[0], "approve")
    say(world, rows[1], "approve")
    again = planned(world, drift(**HELD), drift(vendor_id="v2"), drift(vendor_id="v3"), night=2)
    assert [(row["disposition"], row["approver"]) for row in again] == [
        ("approve", "Ana"), ("approve", "Ana"), ("approve", "policy"),
    ]


def accepted_price(world, **theirs):
    """Shopify's edited price, and what square holds for the same item."""
    insert(world, "observed.prices", [
        {"system": "shopify", "vendor_id": "v1", "vendor_price_list": "base", "item_id": "i1", "price_list_id": "eur",
         "currency": "EUR", "amount": 1050, "tax_basis": "gross", "tax_rate_bp": 2000} | theirs,
        {"system": "square", "vendor_id": "sq1", "vendor_price_list": "base", "item_id": "i1", "price_list_id": "eur",
         "currency": "EUR", "amount": 1000, "tax_basis": "gross", "tax_rate_bp": 2000, "version": "5",
         "write_context": '{"item_id": "I1"}'},
    ])
    return drift(theirs.get("system", "shopify"), observed=str(theirs.get("amount", 1050)), desired="1000", **HELD)


def test_accept_theirs_turns_the_correction_round(world):
    row = accepted_price(world)
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    expected = {
        "system": "square", "vendor_id": "sq1", "vendor_sub_id": "base", "field": "amount", "observed": "1000",
        "desired": "1050", "rule": "accept-theirs", "disposition": "approve", "approver": "Ana", "version": "5",
        "context": '{"item_id": "I1"}',
    }
    assert {name: turned[name] for name in expected} == expected
    assert turned["reason"] == "Ana took the value of shopify as the truth: I know"


def test_accept_theirs_is_written_in_the_truths_own_tax_basis(world):
    row = accepted_price(world, system="hubspot", amount=900, tax_basis="net")
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    assert (turned["system"], turned["desired"]) == ("square", "1080")


def test_an_accepted_value_still_meets_the_guards(world):
    row = accepted_price(world, amount=100)
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    assert (turned["system"], turned["disposition"]) == ("square", "refuse")


def test_of_two_accepted_edits_the_younger_word_is_the_truth(world):
    """Two approved rows for one value would stop all prices of the source of truth (`plan_value_twice`)."""
    shop_row = accepted_price(world)
    crm_row = accepted_price(world, system="hubspot", vendor_id="h1", amount=900, tax_basis="net") | {"vendor_id": "h1"}
    hubspot, shopify = planned(world, shop_row, crm_row)
    say(world, hubspot, "accept-theirs", at=AS_OF + timedelta(hours=1))
    say(world, shopify, "accept-theirs", at=AS_OF + timedelta(hours=2), author="Bo")
    (turned,) = planned(world, shop_row, crm_row, night=2)
    assert (turned["system"], turned["desired"], turned["approver"]) == ("square", "1050", "Bo")
    say(world, hubspot, "accept-theirs", at=AS_OF + timedelta(hours=3))
    assert planned(world, shop_row, crm_row, night=3)[0]["desired"] == "1080"


def test_an_accepted_net_price_is_not_under_the_cost_of_a_gross_truth(world):
    insert(world, "golden.items", [{"item_id": "i1", "cost_minor": 800, "cost_currency": "EUR"}])
    row = accepted_price(world, system="hubspot", amount=750, tax_basis="net") | {"cost_minor": 800}
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    assert (turned["system"], turned["desired"], turned["disposition"]) == ("square", "900", "refuse")
    assert turned["disposition_reason"] == "The new price is below its cost."


def test_accepted_stock_moves_the_authority_by_the_difference(world):
    insert(world, "golden.stock", [{"item_id": "i1", "location_id": "l1", "on_hand": 8, "available": 5}])
    insert(world, "observed.stock", [
        {"system": "square", "vendor_id": "sq1", "vendor_location_id": "L1", "item_id": "i1", "location_id": "l1",
         "quantity": 9},
    ])
    row = drift(entity="stock", field="available", subject_sub_id="l1", observed="7", desired="5", **HELD)
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    shown = (turned["system"], turned["field"], turned["vendor_sub_id"], turned["observed"], turned["desired"])
    assert shown == ("square", "on_hand", "L1", "9", "10")


def test_an_accepted_customer_field_goes_to_the_record_of_the_truth(world):
    insert(world, "observed.customers", [{"system": "hubspot", "vendor_id": "h1", "person_id": "p1", "city": "Lyon"}])
    row = drift("square", "customers", "city", vendor_sub_id="", subject_id="p1", subject_sub_id="", observed="Paris",
                desired="Lyon", authority="hubspot", **HELD)
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    assert (turned["system"], turned["vendor_id"], turned["observed"], turned["desired"]) == (
        "hubspot", "h1", "Lyon", "Paris")


def test_what_cannot_be_turned_round_stays_held_and_says_so(world):
    (held,) = planned(world, drift(**HELD))
    say(world, held, "accept-theirs")
    (again,) = planned(world, drift(**HELD), night=2)
    assert again["disposition"] == "hold"
    assert "no place to write it" in again["disposition_reason"]


def test_accepting_a_no_lowers_every_yes(world):
    insert(world, "observed.consents", [
        {"system": "hubspot", "vendor_id": "h1", "vendor_audience_id": "1001", "contact_point": "cp1",
         "channel": "email", "purpose": "newsletter", "state": "yes", "email": "a@b.fr"},
    ])
    row = consent(observed="no", desired="yes", drift_class="raise_with_proof")
    (held,) = planned(world, row, lane="suppression")
    assert held["disposition"] == "hold"
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, lane="suppression", night=2)
    shown = (turned["system"], turned["observed"], turned["desired"], turned["drift_class"], turned["disposition"])
    assert shown == ("hubspot", "yes", "no", "lower", "approve")
    assert turned["context"] == '{"email":"a@b.fr"}'


def test_a_pin_holds_its_place_whatever_would_be_written_there_next(world):
    row = drift(drift_class="here", desired="1100")
    (held,) = planned(world, row)
    say(world, held, "pin", until=AS_OF + timedelta(days=30))
    moved = drift(drift_class="elsewhere", desired="1101")
    (later,) = planned(world, moved, night=3)
    assert later["correction_key"] != held["correction_key"]
    assert later["disposition"] == "pin" and "Pinned by Ana" in later["disposition_reason"]
    (other,) = planned(world, drift(drift_class="elsewhere", desired="1101", vendor_id="another"), night=4)
    assert other["disposition"] == "approve", "a pin is of one place"
    say(world, later, "approve", at=AS_OF + timedelta(days=4))
    assert planned(world, moved, night=5)[0]["disposition"] == "approve", "a younger word about the place lifts it"
    assert planned(world, drift(drift_class="elsewhere", desired="1102"), night=6)[0]["disposition"] == "approve"


def test_a_pin_ends_on_its_day_for_every_row_of_its_place(world):
    (held,) = planned(world, drift(drift_class="here", desired="1100"))
    say(world, held, "pin", until=AS_OF + timedelta(days=3))
    moved = drift(drift_class="elsewhere", desired="1101")
    assert planned(world, moved, night=3)[0]["disposition"] == "pin"
    assert planned(world, moved, night=5)[0]["disposition"] == "approve"


def test_an_opt_out_takes_no_answer(world):
    (row,) = planned(world, consent(), lane="suppression")
    for night, answer in enumerate(("reject", "pin"), 2):
        say(world, row, answer, until=AS_OF + timedelta(days=9))
        assert planned(world, consent(), lane="suppression", night=night)[0]["disposition"] == "approve"


def test_a_second_round_of_the_same_night_plans_what_the_first_had_not(world):
    (first,) = planned(world, consent(), lane="suppression")
    (more,) = planned(world, consent(), consent(vendor_id="another"), lane="suppression")
    assert more["vendor_id"] == "another" != first["vendor_id"]
    rows = world.execute("SELECT vendor_id FROM plan.corrections WHERE lane = 'suppression'").fetchall()
    assert sorted(rows) == sorted([("another",), (first["vendor_id"],)]), "both rounds are tonight's"
    again = planned(world, consent(), consent(vendor_id="another"), lane="suppression", night=2)
    assert len(again) == 2, "another night plans them again"


def test_a_proven_opt_in_is_raised_by_a_person_only(world):
    row = consent(observed="no", desired="yes", drift_class="raise_with_proof")
    (held,) = planned(world, row, lane="suppression")
    say(world, held, "approve")
    (raised,) = planned(world, row, lane="suppression", night=2)
    assert (raised["disposition"], raised["approver"]) == ("approve", "Ana")


async def test_a_person_releases_rows_of_a_stored_plan_and_push_reads_them_first(world):
    rows = planned(world, drift(**HELD), drift(vendor_id="v2", **HELD), drift(vendor_id="v3", desired="0"))
    clock = VirtualClock(AS_OF + timedelta(days=2))
    for row in rows:
        say(world, row, "approve", at=clock.at)
    assert approve_by_person(world, "n1-main", armed=ARMED, clock=clock) == 2
    assert approve_by_person(world, "n1-main", armed=ARMED, clock=clock) == 0
    vendor = FakeVendor("shopify", clock)
    now = {"v1": "1000", "v2": "1234", "v3": "1"}
    vendor.values = {("prices", "amount", vendor_id, "base"): value for vendor_id, value in now.items()}
    report = await push_plan(world, "n1-main", {"shopify": vendor.session()}, armed=ARMED, clock=clock)
    assert report.systems["shopify"].counts == {"stale": 1, "applied": 1}
    assert vendor.values["prices", "amount", "v1", "base"] == "1100"


def test_a_row_held_for_an_incomplete_read_is_not_released(world):
    world.execute("UPDATE reads.verdicts SET is_complete = false WHERE system = 'square'")
    (row,) = planned(world, drift())
    say(world, row, "approve")
    assert approve_by_person(world, "n1-main", armed=ARMED, clock=VirtualClock()) == 0


WITHDRAWN = [("reject", None), ("accept-theirs", None), ("pin", AS_OF + timedelta(days=9))]


def shop(*rows, **rest):
    """A shop that shows each row as it was observed, and its clock, one hour into the first night."""
    clock = VirtualClock(AS_OF + timedelta(hours=1))
    vendor = FakeVendor(rows[0]["system"], clock, **rest)
    vendor.values = {(r["entity"], r["field"], r["vendor_id"], r["vendor_sub_id"]): r["observed"] for r in rows}
    return vendor, clock


async def pushed(world, vendor, clock, plan_id="n1-main"):
    """How many rows a person and the policy approve of a stored plan now, and what the shop is sent."""
    approve_by_policy(world, plan_id, armed=ARMED, clock=clock)
    approve_by_person(world, plan_id, armed=ARMED, clock=clock)
    report = await push_plan(world, plan_id, {vendor.name: vendor.session()}, armed=ARMED, clock=clock)
    return report.systems[vendor.name].counts if report.systems else {}


@pytest.mark.parametrize(("answer", "until"), WITHDRAWN)
@pytest.mark.parametrize("drift_class", ["both", "elsewhere"])
async def test_a_younger_word_takes_back_an_approval_that_was_not_pushed(world, drift_class, answer, until):
    (row,) = planned(world, drift(drift_class=drift_class))
    vendor, clock = shop(row, faults={1: "credential"})
    say(world, row, "approve")
    assert await pushed(world, vendor, clock) == {"skipped": 1}
    say(world, row, answer, at=AS_OF + timedelta(minutes=1), until=until)
    assert await pushed(world, vendor, clock) == {}
    assert vendor.effects == []
    say(world, row, "approve", at=AS_OF + timedelta(minutes=2), author="Bo")
    clock.at = AS_OF + timedelta(minutes=5)
    assert await pushed(world, vendor, clock) == {"applied": 1}


@pytest.mark.parametrize(("answer", "until"), WITHDRAWN)
async def test_a_stored_plan_is_approved_by_what_people_say_now(world, answer, until):
    (row,) = planned(world, drift(**HELD))
    say(world, row, "approve")
    (taken_up,) = planned(world, drift(**HELD), night=2)
    assert taken_up["approver"] == "Ana"
    say(world, row, answer, at=AS_OF + timedelta(days=1), until=until)
    vendor, clock = shop(row)
    clock.at += timedelta(days=1)
    assert await pushed(world, vendor, clock, "n2-main") == {}
    assert world.execute("SELECT count(*) FROM ledger.sync.approvals").fetchone() == (0,)


async def test_a_pin_keeps_back_what_a_stored_plan_would_write_at_its_place(world):
    (old,) = planned(world, drift(**HELD))
    (row,) = planned(world, drift(desired="1101"), night=2)
    vendor, clock = shop(row)
    say(world, old, "pin", at=AS_OF + timedelta(days=1), until=AS_OF + timedelta(days=2))
    clock.at = AS_OF + timedelta(days=1)
    assert await pushed(world, vendor, clock, "n2-main") == {}
    say(world, row, "approve", at=AS_OF + timedelta(days=1, minutes=1))
    assert await pushed(world, vendor, clock, "n2-main") == {"applied": 1}


@pytest.mark.parametrize("answer", ["approve", "reject"])
async def test_an_edit_that_is_no_more_accepted_is_not_written_to_the_truth(world, answer):
    row = accepted_price(world)
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    vendor, clock = shop(turned)
    clock.at = AS_OF + timedelta(days=1)
    say(world, held, answer, at=clock.at)
    assert await pushed(world, vendor, clock, "n2-main") == {}
    say(world, held, "accept-theirs", at=clock.at + timedelta(minutes=1))
    assert await pushed(world, vendor, clock, "n2-main") == {"applied": 1}


def test_a_person_may_reject_or_pin_what_an_accepted_edit_would_write(world):
    row = accepted_price(world)
    (held,) = planned(world, row)
    say(world, held, "accept-theirs")
    (turned,) = planned(world, row, night=2)
    say(world, turned, "reject", author="Bo")
    (again,) = planned(world, row, night=3)
    assert (again["system"], again["disposition"]) == ("square", "reject")


async def test_no_word_keeps_an_opt_out_back(world):
    (row,) = planned(world, consent(), lane="suppression")
    for answer, until in WITHDRAWN:
        say(world, row, answer, until=until)
    vendor, clock = shop(row)
    assert await pushed(world, vendor, clock, "n1-suppression") == {"applied": 1}


PART = {"taken_system": "hubspot", "taken_id": "v1", "kept_system": "square", "kept_id": "s1", "author": "Ana",
        "reason": "two", "at": AS_OF, "together_since": AS_OF}


@pytest.mark.parametrize("side", ["taken", "kept"])
async def test_what_was_approved_when_two_were_taken_for_one_is_not_written_once_they_are_parted(world, side):
    planned(world, lane="suppression")
    (row,) = planned(world, drift("hubspot", "customers", "city", vendor_sub_id="", desired="Lyon"))
    vendor, clock = shop(row, faults={1: "credential"})
    assert await pushed(world, vendor, clock) == {"skipped": 1}
    said = PART | {"parting_id": "w1", "last_plan_at": world.execute("SELECT max(created_at) FROM ledger.sync.plans")
                   .fetchall()[0][0]}
    turned = {name.replace("taken", "x").replace("kept", "taken").replace("x", "kept"): said[name] for name in said}
    insert(world, "ledger.identity.apart", [said if side == "taken" else turned])
    assert await pushed(world, vendor, clock) == {} and vendor.effects == []
    insert(world, "ledger.identity.apart_undone", [{"parting_id": "w1", "author": "A", "reason": "r", "at": AS_OF}])
    assert await pushed(world, vendor, clock) == {"applied": 1}, "taken back, the plan stands again"


async def test_what_is_taken_back_from_the_parted_is_written_only_while_they_are_parted(world):
    planned(world, lane="suppression")
    insert(world, "ledger.identity.apart", [PART | {"parting_id": "w1", "last_plan_at": AS_OF - timedelta(days=1)}])
    (row,) = planned(world, drift("hubspot", "customers", "city", vendor_sub_id="", desired="Lyon", drift_class="rule",
                                  rule="unmerge", authority=None))
    assert (row["disposition"], row["is_releasable"]) == ("hold", True)
    vendor, clock = shop(row)
    say(world, row, "approve")
    insert(world, "ledger.identity.apart_undone", [{"parting_id": "w1", "author": "A", "reason": "r", "at": AS_OF}])
    assert await pushed(world, vendor, clock) == {} and vendor.effects == []
    world.execute("DELETE FROM ledger.identity.apart_undone")
    assert await pushed(world, vendor, clock) == {"applied": 1}
