"""Every invariant can be broken: a log in which it is, and the same log without, which passes."""

import pytest

from sandbox.world.truth import Row
from tests.simulation import checker
from tests.simulation.network import Call
from tests.simulation.run import Run

PRICE = {"vendor": "square", "kind": "prices", "key": "V00000001|base", "field": "amount", "operation": "x"}
VARIANT = "gid://shopify/ProductVariant/4000000001"
LEVEL = {"vendor": "shopify", "kind": "stock", "key": f"{VARIANT}|L1", "field": "available", "operation": "x"}
NAME = {"vendor": "hubspot", "kind": "contacts", "key": "30000000001", "field": "firstname", "operation": "x"}
STATE = {"vendor": "mailchimp", "kind": "consents", "key": "abc", "field": "a1b2c3d4e5", "operation": "x"}


def effect(seq, of, before, after, origin="api"):
    return {"seq": seq, **of, "before": before, "after": after, "origin": origin}


def run(*effects, calls=(), read_until=0, truth=()):
    return Run(1, "n", "complete", list(calls), list(effects), read_until=read_until, truth=list(truth))


def call(number, low, high, *, path="/hubspot/x/30000000001", fault="", is_write=False, system="hubspot"):
    made = Call(number, system, "POST", path, "", b"", 1, is_write, fault)
    made.effects = low, high
    return made


def row(desired="100", disposition="must_push", entity="prices", name="amount"):
    return Row(1, "square", entity, name, "V00000001", "base", "elsewhere", disposition, "90", desired)


def kinds(violations):
    return [violation.kind for violation in violations]


@pytest.mark.parametrize("before", ["no", "pending", None])
def test_a_permission_that_becomes_yes(before):
    assert kinds(checker.raised(run(effect(1, STATE, before, "yes")))) == ["consent raised"]
    status = {**STATE, "kind": "members", "field": "status"}
    assert kinds(checker.raised(run(effect(1, status, "unsubscribed", "subscribed")))) == ["consent raised"]
    assert not kinds(checker.raised(run(effect(1, STATE, "yes", "no"))))
    assert not kinds(checker.raised(run(effect(1, STATE, "no", "yes", origin="world"))))


def test_a_value_changed_twice():
    first, second = effect(1, LEVEL, "5", "4"), effect(3, LEVEL, "4", "3")
    assert kinds(checker.doubled(run(first, second))) == ["doubled effect"]
    assert not kinds(checker.doubled(run(first, effect(2, LEVEL, "4", "9", origin="world"), second)))
    assert not kinds(checker.doubled(run(first, effect(3, PRICE, "4", "3"))))


def test_a_newer_value_written_over_where_the_vendor_compares():
    newer, ours = effect(5, LEVEL, "5", "4", origin="world"), effect(6, LEVEL, "4", "3")
    assert kinds(checker.overwritten(run(newer, ours))) == ["newer value overwritten"]
    assert not kinds(checker.overwritten(run(newer, ours, read_until=5))), "it had been read"


def test_what_was_changed_and_changed_back_is_what_was_planned_on():
    away, back = (effect(5, LEVEL, "5", "4", origin="world"), effect(6, LEVEL, "4", "5", origin="world"))
    ours = effect(7, LEVEL, "5", "3")
    assert not kinds(checker.overwritten(run(away, back, ours)))
    other = effect(6, LEVEL, "4", "6", origin="world")
    assert kinds(checker.overwritten(run(away, other, effect(7, LEVEL, "6", "3")))) == ["newer value overwritten"]


def test_a_newer_value_written_over_that_had_been_seen():
    newer, ours = effect(5, NAME, "Ana", "Anna", origin="world"), effect(6, NAME, "Anna", "Ana")
    write = call(2, 5, 6, is_write=True)
    assert kinds(checker.overwritten(run(newer, ours, calls=[call(1, 5, 5), write]))) == ["seen value overwritten"]
    for gap in (call(1, 4, 4), call(1, 5, 5, fault="late"), call(1, 5, 5, path="/hubspot/x/7")):
        assert not kinds(checker.overwritten(run(newer, ours, calls=[gap, write])))


def test_a_value_that_nobody_wants():
    assert not kinds(checker.unwanted(run(effect(1, PRICE, "0.90", "1.00"), truth=[row()])))
    assert kinds(checker.unwanted(run(effect(1, PRICE, "0.90", "1.00")))) == ["unwanted write"]
    assert kinds(checker.unwanted(run(effect(1, PRICE, "0.90", "1.01"), truth=[row()]))) == ["wrong value"]
    held = [row(disposition="must_hold")]
    assert kinds(checker.unwanted(run(effect(1, PRICE, "0.90", "1.00"), truth=held))) == ["held value touched"]


def test_more_than_a_cap_lets_through():
    many = [effect(n, {**PRICE, "key": f"V{n:08d}|base"}, "1", "2") for n in range(1, 7)]
    assert kinds(checker.over_caps(run(*many), {"prices": (1.0, 5)}, {})) == ["cap broken"]
    assert not kinds(checker.over_caps(run(*many), {"prices": (1.0, 6)}, {}))
    assert not kinds(checker.over_caps(run(*many), {"prices": (10.0, 5)}, {("square", "prices"): 60}))
    lane = run(*many)
    lane.lanes = [(0, 9)]
    assert not kinds(checker.over_caps(lane, {"prices": (1.0, 5)}, {})), "opt-outs are not capped"


def test_a_correction_that_never_came():
    assert kinds(checker.lost([row()], {row().key: "90"})) == ["lost correction"]
    assert not kinds(checker.lost([row()], {row().key: "100"}))
    assert not kinds(checker.lost([row(disposition="must_hold")], {row().key: "90"}))


def test_nights_that_do_not_come_to_rest():
    restless, quiet = run(effect(1, PRICE, "1", "2")), run()
    assert kinds(checker.converged([restless, quiet])) == []
    assert kinds(checker.converged([quiet, restless])) == ["no convergence"]
    planned = run()
    planned.new = 1
    assert kinds(checker.converged([planned])) == ["no convergence"]
    failed = run()
    failed.status = "failed"
    assert kinds(checker.converged([failed])) == ["no convergence"]


def test_a_run_that_writes_after_another_took_its_place():
    woken = run(calls=[call(1, 0, 1, is_write=True), call(2, 1, 1), call(3, 1, 2, is_write=True)])
    assert not kinds(checker.zombie(woken))
    woken.taken_over_at = 1
    assert kinds(checker.zombie(woken)) == ["written by a zombie"]
    woken.taken_over_at = 3
    assert not kinds(checker.zombie(woken)), "what was on its way then had been sent"


def test_what_was_meant_for_another_thing_of_the_same_id():
    key = LEVEL["key"].partition("|")[0]
    assert kinds(checker.reused(run(effect(1, LEVEL, "5", "4")), {key: 1})) == ["written to a re-used id"]
    assert not kinds(checker.reused(run(effect(1, PRICE, "5", "4")), {key: 1}))
    assert not kinds(checker.reused(run(effect(1, LEVEL, "5", "4")), {key: 2})), "it was the first's then"


def test_what_another_run_wrote_is_not_this_ones():
    made = Run(1, "n", "complete", [call(1, 0, 1, is_write=True)], [])
    made.keep([effect(1, PRICE, "1", "2"), effect(2, PRICE, "2", "3")])
    assert [one["origin"] for one in made.effects] == ["api", "another run"]
    assert [one["seq"] for one in made.written] == [1]
