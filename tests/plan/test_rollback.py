"""An order to roll back among people's other words, and what keeps it: answers, modes, guards, older plans."""

from datetime import timedelta
from typing import Any

import pytest

from pipelines.approve import approve_by_policy
from pipelines.errors import ConfigurationError, DataError
from pipelines.ledger.answerable import check_answer
from pipelines.ledger.audit import seal_older
from pipelines.ledger.inbox import drop, import_answers
from pipelines.ledger.plans import fingerprint
from pipelines.ledger.rollbacks import Rollback
from pipelines.ledger.unsigned import void_unsigned, voided
from pipelines.reconcile.models import build_models
from pipelines.scope import narrow_to_rollback
from tests.arming import ARMED, approvers, signer
from tests.laws.test_rollback_laws import Estate, Written
from tests.plan.test_answers import say
from tests.plan.world import AS_OF, VirtualClock

PRICE = Written("prices", "v1", "900", "1000", "applied", "1000", is_gone=False, is_overwritten=False)
AS_BEFORE = {("prices", "v1"): "900"}
AS_WRITTEN = {("prices", "v1"): "1000"}


@pytest.fixture
def estate() -> Estate:
    """A price has been written, and that is to be undone."""
    made = Estate()
    made.write("one", [PRICE])
    made.holds(AS_WRITTEN)
    return made


def planned(estate: Estate, *wanted: Written) -> dict[str, Any]:
    (row,) = estate.plan(list(wanted))
    return row


def test_the_author_of_the_order_approves_what_it_writes_back(estate):
    estate.order("one")
    row = planned(estate)
    assert (row["observed"], row["desired"], row["rule"]) == ("1000", "900", "rollback")
    assert (row["disposition_reason"], row["approver"]) == ("Approved by Ana: a slip", "Ana")


def test_rejected_it_is_kept_back_and_it_takes_no_other_word(estate):
    estate.order("one")
    row = planned(estate)
    key = row["correction_key"]
    with pytest.raises(DataError, match="takes back what trueup had written; reject it"):
        check_answer(estate.con, key, "accept-theirs")
    check_answer(estate.con, key, "reject")
    say(estate.con, row, "reject", at=estate.now)
    again = planned(estate)
    assert (again["disposition"], again["approver"]) == ("reject", None)


def test_what_was_undone_is_written_again_where_a_person_says_so_and_the_order_is_spent(estate):
    estate.order("one")
    estate.holds(estate.carry_out([planned(estate)], AS_WRITTEN))
    held = planned(estate, PRICE)
    assert (held["disposition"], held["disposition_reason"]) == ("reject", "Rejected by Ana: rolled back: a slip")
    check_answer(estate.con, held["correction_key"], "approve")
    say(estate.con, held, "approve", at=estate.now, author="Ben")
    written = planned(estate, PRICE)
    assert (written["disposition"], written["approver"]) == ("approve", "Ben")
    estate.holds(estate.carry_out([written], AS_BEFORE))
    assert estate.plan() == [], "an order acts once"
    estate.holds(AS_BEFORE)
    assert planned(estate, PRICE)["disposition"] == "approve", "nor does it hold what was written again since"


@pytest.mark.parametrize(("hours", "approver"), [(-1, "Ana"), (1, None)])
def test_of_a_pin_and_an_order_about_one_place_the_younger_word_counts(estate, hours, approver):
    estate.order("one")
    pinned = {"correction_key": "price"}
    estate.con.execute("UPDATE ledger.sync.corrections SET correction_key = 'price' WHERE plan_id = 'one'")
    for table in ("outcomes", "rollback_rows"):
        estate.con.execute(f"UPDATE ledger.sync.{table} SET correction_key = 'price' WHERE plan_id = 'one'")
    said = estate.now + timedelta(hours=hours)
    say(estate.con, pinned, "pin", at=said, until=said + timedelta(days=30), author="Ben")
    assert planned(estate)["approver"] == approver


def test_a_rollback_that_is_rolled_back_does_not_wake_the_first_order(estate):
    estate.order("one")
    back = planned(estate)
    estate.holds(estate.carry_out([back], AS_WRITTEN))
    estate.order(back["plan_id"])
    forth = planned(estate)
    assert (forth["observed"], forth["desired"], forth["rule"]) == ("900", "1000", "rollback")
    estate.holds(estate.carry_out([forth], AS_BEFORE))
    assert estate.plan() == []


def test_a_run_of_its_own_corrects_nothing_but_what_its_plan_wrote(estate):
    estate.write("two", [Written("prices", "v2", "900", "1000", "applied", "1000", False, False)])
    estate.holds(AS_WRITTEN | {("prices", "v2"): "1000"})
    estate.order("one")
    estate.order("two")
    estate.plan([Written("prices", "v3", "900", "1000", "", "900", False, False)])
    assert narrow_to_rollback(estate.con, "one") == 2
    assert estate.con.execute("SELECT vendor_id, rule FROM plan.decided").fetchall() == [("v1", "rollback")]
    with pytest.raises(ConfigurationError, match="nobody has ordered plan 'three'"):
        narrow_to_rollback(estate.con, "three")


def test_an_order_that_could_not_be_carried_out_acts_for_seven_days(estate):
    estate.order("one")
    estate.con.execute("UPDATE reads.verdicts SET is_complete = false WHERE system = 'shopify'")
    assert estate.plan() == [] and set(estate.states().values()) == {"unread"}
    estate.con.execute("UPDATE reads.verdicts SET is_complete = true")
    assert planned(estate)["approver"] == "Ana"
    estate.night += 6
    assert estate.plan() == [] and set(estate.states().values()) == {"expired"}


@pytest.mark.parametrize(("change", "disposition"), [
    ("UPDATE policy.targets SET mode = 'observe' WHERE system = 'shopify'", "observe"),
    ("UPDATE policy.targets SET is_writable = false WHERE system = 'shopify'", "not_writable"),
    ("UPDATE policy.guards SET floor_minor = 950", "refuse"),
    ("UPDATE policy.guards SET max_jump_pct = 5", "refuse"),
])
def test_no_order_goes_past_a_guard_or_a_mode(estate, change, disposition):
    estate.con.execute(change)
    estate.order("one")
    row = planned(estate)
    assert (row["disposition"], row["approver"]) == (disposition, None)


def test_a_price_goes_back_as_far_as_it_came(estate):
    estate.write("half", [Written("prices", "v2", "1000", "701", "applied", "701", False, False)])
    estate.holds({("prices", "v2"): "701"})
    estate.order("half")
    assert planned(estate)["approver"] == "Ana", "from 7.01 to 10.00 is 43 %, from 10.00 to 7.01 was 30 %"


@pytest.mark.parametrize(("younger", "approved"), [(False, 0), (True, 1)])
def test_a_plan_that_was_made_before_the_order_does_not_write_the_same_again(estate, younger, approved):
    estate.holds(AS_BEFORE)
    row = planned(estate, PRICE)
    estate.con.execute("DELETE FROM ledger.sync.approvals")
    # The plan that wrote it bears the same key: it is the same correction.
    for table in ("corrections", "outcomes"):
        estate.con.execute(
            f"UPDATE ledger.sync.{table} SET correction_key = ? WHERE plan_id = 'one'", [row["correction_key"]]
        )
    estate.order("one")
    if younger:
        say(estate.con, row, "approve", at=estate.now + timedelta(hours=1))
    clock = VirtualClock(estate.now + timedelta(hours=2))
    assert approve_by_policy(estate.con, row["plan_id"], armed=ARMED, clock=clock) == approved


def test_an_order_comes_by_the_inbox_once_or_is_refused_with_its_reason(estate, tmp_path):
    word = Rollback(plan_id="one", author="Ana", reason="a slip", at=AS_OF)
    for _ in range(2):
        drop(tmp_path, word, signer("maison"))
        assert (found := taken(estate, tmp_path)).taken == 1 and not found.refused
    assert estate.con.execute("SELECT count(*) FROM ledger.sync.rollback_rows").fetchone() == (1,)
    drop(tmp_path, Rollback(plan_id="none", author="Ana", reason="a slip", at=AS_OF), signer("maison"))
    ((_, reason),) = taken(estate, tmp_path).refused
    assert "this plan wrote nothing" in reason
    for said in ({"author": " "}, {"reason": ""}, {"at": AS_OF.replace(tzinfo=None)}):
        with pytest.raises(DataError):
            order = {"plan_id": "one", "author": "Ana", "reason": "r", "at": AS_OF} | said
            drop(tmp_path, Rollback(**order), signer("maison"))


def taken(estate, folder):
    return import_answers(estate.con, folder, approvers=approvers("maison"), clock=VirtualClock())


@pytest.mark.parametrize("change", [
    "UPDATE ledger.sync.rollbacks SET author = 'Bo'", "UPDATE ledger.sync.rollbacks SET plan_id = 'two'",
    "UPDATE ledger.sync.corrections SET observed = '950' WHERE plan_id = 'one'",
    "DELETE FROM ledger.sync.words", "UPDATE ledger.sync.words SET payload = replace(payload, 'slip', 'sip')",
])
def test_an_order_that_was_changed_in_the_ledger_counts_no_more(estate, tmp_path, change):
    estate.con.execute("UPDATE ledger.sync.plans SET fingerprint = ? WHERE plan_id = 'one'", [
        fingerprint(estate.con, "one"),
    ])
    seal_older(estate.con)
    drop(tmp_path, Rollback(plan_id="one", author="Ana", reason="a slip", at=AS_OF), signer("maison"))
    assert taken(estate, tmp_path).taken == 1
    assert void_unsigned(estate.con, approvers("maison"), clock=VirtualClock()) == []
    build_models(estate.con, "reconcile.rollback_said")
    assert estate.con.execute("SELECT is_current FROM reconcile.rollback_said").fetchall() == [(True,)]
    estate.con.execute(change)
    ((plan_id, reason),) = void_unsigned(estate.con, approvers("maison"), clock=VirtualClock())
    assert voided(estate.con) == [(plan_id, reason)]
    build_models(estate.con, "reconcile.rollback_said")
    is_current = estate.con.execute("SELECT is_current FROM reconcile.rollback_said").fetchall()
    assert is_current == [(False,)], "it undoes nothing more, and what it has undone stays so"
