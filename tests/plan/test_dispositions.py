"""What the planner says about one row: the order of dispositions, the guards, the one-way rule of permissions."""

from datetime import timedelta
from hashlib import sha256

import pytest

from pipelines.plan import build_plan, decide
from pipelines.scope import narrow_plan
from tests.plan.world import AS_OF, VirtualClock, consent, drift, fresh, insert, plan_rows, policy, start_night

STOCK = {"entity": "stock", "field": "available"}


@pytest.fixture
def world():
    con = fresh()
    policy(con)
    return con


def planned(con, *rows, lane="main"):
    table = "reconcile.drift" if lane == "main" else "reconcile.consent_drift"
    con.execute(f"DELETE FROM {table}")
    insert(con, table, rows)
    return plan_rows(con, build_plan(con, lane=lane, clock=VirtualClock()))


def test_a_plan_of_no_drift_is_empty(world):
    assert planned(world) == []
    assert world.execute("SELECT row_count, summary->>'$.rows' FROM ledger.sync.plans").fetchall() == [(0, "0")]


def test_policy_approves_with_reason_age_and_identity(world):
    (row,) = planned(world, drift())
    assert (row["disposition"], row["approver"], row["is_new"], row["held_since"]) == ("approve", "policy", True, None)
    assert row["disposition_reason"] == "The policy approves prices.amount under caps; changed by its source of truth."
    assert row["risk"] == "low"
    plan = world.execute("SELECT plan_id, expires_at, as_of, lane FROM ledger.sync.plans").fetchone()
    assert plan == ("n1-main", AS_OF + timedelta(minutes=60), AS_OF, "main")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"desired": "0"}, "The new price is zero."),
        ({"desired": "-5"}, "The new price is below zero."),
        ({"desired": "1001", "cost_minor": 1002}, "The new price is below its cost."),
        ({"desired": "1301"}, "The price would move by more than 30 % in one night."),
        ({"desired": "699"}, "The price would move by more than 30 % in one night."),
        ({"desired": None}, "The new price cannot be read as an amount."),
        ({"desired": "10.50"}, "The new price cannot be read as an amount."),
        ({"currency": None}, "The currency is not known."),
        ({"currency": "XXX"}, "The currency is not known."),
        (STOCK | {"desired": "-1"}, "The new quantity is below zero."),
        (STOCK | {"desired": "many"}, "The new quantity cannot be read as a whole number."),
        ({"entity": "customers", "field": "phone", "desired": " "}, "There is no new value; a blank is never written."),
    ],
)
def test_guards_refuse(world, change, reason):
    (row,) = planned(world, drift(**change))
    assert (row["disposition"], row["disposition_reason"], row["risk"]) == ("refuse", reason, "high")
    assert row["approver"] is None


@pytest.mark.parametrize("change", [{"desired": "1300"}, {"desired": "700"}, {"field": "compare_at", "desired": None}])
def test_guards_let_pass_what_is_on_the_line(world, change):
    (row,) = planned(world, drift(**change))
    assert row["disposition"] == "approve"


def test_floor_and_ceiling(world):
    world.execute("UPDATE policy.guards SET floor_minor = 990, ceiling_minor = 1200")
    rows = planned(world, *(drift(vendor_id=f"v{value}", desired=value) for value in ("989", "990", "1200", "1201")))
    assert [(row["desired"], row["disposition"]) for row in rows] == [
        ("1200", "approve"), ("1201", "refuse"), ("989", "refuse"), ("990", "approve"),
    ]


def test_a_missing_limit_is_the_strict_one(world):
    world.execute("DELETE FROM policy.guards")
    world.execute("DELETE FROM policy.caps")
    refused, approved = planned(world, drift(desired="1400"), drift(vendor_id="v2"))
    assert (refused["disposition"], approved["disposition"]) == ("refuse", "approve")


def test_the_order_of_dispositions(world):
    set_target = "UPDATE policy.targets SET mode = ?, is_writable = ? WHERE system = 'shopify' AND field = 'amount'"
    world.execute("UPDATE policy.decisions SET action = 'hold'")
    world.execute(set_target, ["observe", False])
    assert planned(world, drift(desired="0"))[0]["disposition"] == "refuse"
    assert planned(world, drift())[0]["disposition"] == "not_writable"
    world.execute(set_target, ["observe", True])
    assert planned(world, drift())[0]["disposition"] == "observe"
    world.execute(set_target, ["pilot", True])
    assert planned(world, drift())[0]["disposition"] == "observe"
    world.execute("INSERT INTO policy.pilots VALUES ('shopify', 'prices', 'i1')")
    assert planned(world, drift())[0]["disposition"] == "hold"
    world.execute("UPDATE policy.decisions SET action = 'approve'")
    assert planned(world, drift())[0]["disposition"] == "approve"
    world.execute("UPDATE policy.decisions SET action = 'refuse'")
    assert planned(world, drift())[0]["disposition"] == "refuse"


def test_what_the_policy_does_not_name_is_not_written(world):
    world.execute("DELETE FROM policy.targets WHERE field = 'gtin'")
    world.execute("DELETE FROM policy.decisions WHERE field = 'compare_at'")
    rows = planned(world, drift(entity="items", field="gtin"), drift(field="compare_at"))
    assert [row["disposition"] for row in rows] == ["not_writable", "hold"]


def test_caps_hold_the_whole_group_and_nothing_else(world):
    world.execute("UPDATE policy.caps SET floor_rows = 3 WHERE field = 'amount'")
    rows = planned(
        world,
        *(drift(vendor_id=f"v{i}") for i in range(4)),
        *(drift("hubspot", vendor_id=f"v{i}") for i in range(3)),
        drift(field="compare_at", desired="2000"),
        drift(vendor_id="zero", desired="0"),
    )
    by = {(row["system"], row["field"], row["vendor_id"]): row for row in rows}
    assert {row["disposition"] for key, row in by.items() if key[:2] == ("shopify", "amount")} == {"hold", "refuse"}
    assert {row["disposition"] for key, row in by.items() if key[0] == "hubspot"} == {"approve"}
    assert by["shopify", "compare_at", "v1"]["disposition"] == "approve"
    held = by["shopify", "amount", "v0"]
    assert held["disposition_reason"] == "cap: 4 corrections of shopify prices.amount in one night, 3 allowed."
    assert (held["approver"], held["held_since"]) == (None, AS_OF)


def test_a_run_that_was_asked_for_a_part_is_no_way_past_a_cap(world):
    world.execute("UPDATE policy.caps SET floor_rows = 3 WHERE field = 'amount'")
    world.execute("INSERT INTO estate.systems VALUES ('shopify', 's', 'UTC')")
    insert(world, "ledger.identity.items", [
        {"system": "shopify", "vendor_id": f"v{i}", "item_id": f"i{i}", "rule": "sku", "bound_at": AS_OF,
         "night_id": "n"} for i in range(4)
    ])
    insert(world, "reconcile.drift", [drift(vendor_id=f"v{i}") for i in range(4)])
    decide(world, "main")
    assert narrow_plan(world, systems=[], entities=[], keys=["v0", "v1"]) == 2
    told = world.execute("SELECT vendor_id, disposition, disposition_reason FROM plan.decided ORDER BY 1").fetchall()
    why = "cap: 4 corrections of shopify prices.amount in one night, 3 allowed."
    assert told == [("v0", "hold", why), ("v1", "hold", why)]


def test_caps_are_a_share_of_what_the_system_holds_up_to_an_absolute_number(world):
    world.execute("UPDATE policy.caps SET floor_rows = 1, max_share_pct = 50, max_rows = 4")
    insert(world, "observed.prices", ({"system": "shopify", "vendor_id": f"v{i}"} for i in range(8)))
    assert {row["disposition"] for row in planned(world, *(drift(vendor_id=f"v{i}") for i in range(4)))} == {"approve"}
    assert {row["disposition"] for row in planned(world, *(drift(vendor_id=f"v{i}") for i in range(5)))} == {"hold"}


def test_an_incomplete_read_holds_what_it_covers(world):
    world.execute("UPDATE reads.verdicts SET is_complete = false WHERE system = 'square' AND entity = 'prices'")
    rows = planned(world, drift(), drift(entity="stock", field="available", observed="3", desired="2"))
    assert [(row["entity"], row["disposition"]) for row in rows] == [("prices", "hold"), ("stock", "approve")]
    assert "source of truth" in rows[0]["disposition_reason"]


def test_no_customer_is_written_while_opt_outs_cannot_be_read(world):
    world.execute("UPDATE reads.verdicts SET is_complete = false WHERE system = 'mailchimp' AND entity = 'consents'")
    (row,) = planned(world, drift("hubspot", "customers", "city", vendor_sub_id="", desired="Lyon"))
    assert row["disposition"] == "hold"
    assert row["disposition_reason"] == "Opt-outs of mailchimp could not be read tonight, so no customer is written."


def test_two_corrections_of_one_value_are_both_held(world):
    rows = planned(world, drift(), drift(desired="1200"))
    assert [row["disposition"] for row in rows] == ["hold", "hold"]


def test_the_same_row_twice_is_one_correction(world):
    assert len(planned(world, drift(), drift())) == 1


def test_opt_outs_are_always_approved(world):
    world.execute("UPDATE policy.caps SET floor_rows = 0, max_share_pct = 0, max_rows = 0")
    world.execute("UPDATE policy.decisions SET action = 'hold'")
    world.execute("UPDATE reads.verdicts SET is_complete = false")
    rows = planned(world, *(consent(vendor_id=f"m{i}") for i in range(120)), lane="suppression")
    assert {(row["disposition"], row["approver"]) for row in rows} == {("approve", "policy")}


def test_where_an_opt_out_cannot_be_written_it_is_listed(world):
    world.execute("UPDATE policy.targets SET is_writable = false WHERE system = 'square' AND entity = 'consents'")
    (row,) = planned(world, consent("square"), lane="suppression")
    assert row["disposition"] == "not_writable"
    assert row["disposition_reason"] == "square does not let anybody write consents.state; a person has to."


def test_a_permission_is_never_raised_by_policy(world):
    world.execute("INSERT INTO policy.decisions SELECT 'consents', 'state', c, 'approve' "
                  "FROM (VALUES ('raise_with_proof'), ('raise_without_proof')) AS t(c)")
    rows = planned(
        world,
        consent(vendor_id="m1", observed="no", desired="yes", drift_class="raise_with_proof"),
        consent(vendor_id="m2", observed="no", desired="yes", drift_class="raise_without_proof"),
        consent(vendor_id="m3", observed="pending", desired="yes", drift_class="lower"),
        lane="suppression",
    )
    assert [row["disposition"] for row in rows] == ["hold", "refuse", "refuse"]


def test_a_permission_is_raised_by_hand_where_no_writer_can(world):
    world.execute("DELETE FROM policy.raises")
    proven = {"desired": "yes", "drift_class": "raise_with_proof"}
    rows = planned(
        world,
        consent(vendor_id="m1", observed="no", **proven),
        consent(vendor_id="new:cp1", observed=None, **proven | {"desired": "pending"}),
        lane="suppression",
    )
    assert [row["disposition"] for row in rows] == ["not_writable", "hold"], "a new subscriber is no raise"
    assert rows[0]["disposition_reason"] == (
        "No sync raises a permission in mailchimp, proven or not; a person does, who has seen the proof."
    )


def test_a_write_without_known_end_is_read_back_before_the_next(world):
    first = planned(world, drift())[0]
    insert(world, "ledger.sync.intents", [{
        "plan_id": first["plan_id"], "correction_key": first["correction_key"], "batch_id": "1", "vendor_key": "k",
        "attempt": 1, "state": "sent", "composed_at": AS_OF, "sent_at": AS_OF,
    }])
    (row,) = planned(world, drift(desired="1150"))
    assert (row["disposition"], "no known end" in row["disposition_reason"]) == ("hold", True)


def test_identity_and_age_last_over_nights(world):
    (first,) = planned(world, drift(drift_class="both"))
    start_night(world, 2)
    rows = planned(world, drift(drift_class="both"), drift(vendor_id="v2"))
    assert rows[0]["correction_key"] == first["correction_key"]
    assert [(row["is_new"], row["held_since"]) for row in rows] == [(False, AS_OF), (True, None)]
    summary = world.execute("SELECT summary FROM ledger.sync.plans WHERE plan_id = 'n2-main'").fetchone()[0]
    assert '"rows":2,"new":1,"carried":1,"approved":1' in summary


def test_a_second_plan_of_the_night_has_its_own_id_and_plan_corrections_shows_both_lanes(world):
    planned(world, consent(), lane="suppression")
    planned(world, drift())
    planned(world, drift(), drift(vendor_id="v2"))
    counted = world.execute("SELECT lane, plan_id, count(*) FROM plan.corrections GROUP BY ALL ORDER BY ALL").fetchall()
    assert counted == [("main", "n1-main-2", 2), ("suppression", "n1-suppression", 1)]


def test_the_key_is_what_the_contract_says(world):
    (row,) = planned(world, drift(field="compare_at", desired=None))
    text = "|".join(["maison", "shopify", "v1", "base", "prices", "compare_at", "1000", "\x00", "source of truth"])
    assert row["correction_key"] == sha256(text.encode()).hexdigest()
