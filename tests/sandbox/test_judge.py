"""The judge: a perfect night passes; each kind of wrong one fails, by its own name."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from sandbox.judge import judge_scene
from sandbox.judge_persons import score, strangers
from sandbox.judge_report import print_verdict
from sandbox.judge_rows import Case, judge_rows
from sandbox.judge_traces import judge_permissions
from sandbox.plan_rows import plan_of, read_plan
from sandbox.verdict import Verdict
from sandbox.world.settings import WorldError
from sandbox.world.truth import Row, read_truth
from sandbox.world.truth_customers import LINKED_LATE
from tests.sandbox.perfect import PlanRows, add, kinds, perfect_plan


def one(plan: PlanRows, **facts: Any) -> dict[str, Any]:
    """The first row with these facts."""
    return next(row for row in plan if all(row.get(name) == value for name, value in facts.items()))


def test_a_perfect_night_passes(night):
    scene, plan = night
    verdict = judge_scene(scene, plan_of(plan))
    assert verdict.failures == []
    assert verdict.confirmed > 20
    assert verdict.persons.precision == verdict.persons.recall == 1.0
    assert verdict.raised == 0
    assert json.loads(json.dumps(verdict.as_json()))["passed"] is True


def test_the_next_night_passes_too(night):
    """Without a day between, only what is carried stands in the plan."""
    scene, plan = night
    carried = [row for row in plan if row.get("disposition") != "approve"]
    verdict = judge_scene(scene, plan_of(carried))
    assert verdict.failures == []
    assert sum(tally.earlier for tally in verdict.tallies.values()) > 20


def test_a_refused_raise_ends_with_the_unproven_yes_it_rests_on(night):
    """The plan that lowers the yes puts the refusal on record; run again the same night, nobody asks for a raise."""
    scene, plan = night
    silent = [row for row in plan if row.get("drift_class") != "raise_without_proof"]
    assert kinds(judge_scene(scene, plan_of(silent))) == {"missed"}
    carried = [row for row in silent if row.get("disposition") != "approve"]
    assert judge_scene(scene, plan_of(carried)).failures == []


def _drop(**facts: Any) -> Callable[[PlanRows], None]:
    return lambda plan: plan.remove(one(plan, **facts))


def _set(name: str, value: Any, **facts: Any) -> Callable[[PlanRows], None]:
    return lambda plan: one(plan, **facts).update({name: value})


@pytest.mark.parametrize(("spoil", "kind"), [
    (_drop(drift_class="here", entity="prices"), "missed"),
    (_drop(drift_class="unexplained"), "missed"),
    (_drop(drift_class="raise_without_proof"), "missed"),
    (_drop(disposition="not_writable"), "missed"),
    (_drop(kind="quarantine"), "quarantine missed"),
    (add(), "false"),
    (add(disposition="hold", outcome=None, verification=None), "false"),
    (add(entity="consents", field="state", vendor_id="C00000001", drift_class="lower", desired="no"), "false"),
    (add(kind="quarantine"), "quarantine false"),
    (_set("drift_class", "both", drift_class="elsewhere", entity="prices"), "misclassed"),
    (_set("drift_class", "explained", drift_class="unexplained"), "misclassed"),
    (_set("disposition", "hold", disposition="approve", entity="prices"), "misjudged"),
    (_set("disposition", "approve", drift_class="here", entity="prices"), "misjudged"),
    (_set("disposition", "hold", disposition="refuse", entity="prices"), "misjudged"),
    (_set("disposition", "approve", disposition="not_writable"), "misjudged"),
    (_set("desired", "1", drift_class="explained"), "wrong value"),
    (_set("verification", "unconfirmed", disposition="approve", entity="stock"), "unproved"),
    (_set("outcome", "applied", drift_class="here", entity="prices"), "touched"),
])
def test_each_wrong_plan_fails(night, spoil, kind):
    scene, plan = night
    spoil(plan)
    assert kinds(judge_scene(scene, plan_of(plan))) == {kind}


def test_holding_everything_fails(first_day):
    rows = read_truth(first_day.folder, 1)
    plan = perfect_plan(first_day, rows)
    for row in plan:
        if row.get("disposition") == "approve":
            row |= {"disposition": "hold", "outcome": None, "verification": None}
    assert kinds(judge_scene(first_day, plan_of(plan))) == {"misjudged"}


def test_an_empty_plan_fails(first_day):
    assert {"missed", "quarantine missed"} <= kinds(judge_scene(first_day, plan_of([])))


def test_claims_without_deeds_fail(first_day):
    """All confirmed on paper, nothing written."""
    rows = read_truth(first_day.folder, 1)
    assert kinds(judge_scene(first_day, plan_of(perfect_plan(first_day, rows)))) == {"unproved"}


def test_writes_nobody_planned_fail(night):
    scene, plan = night
    scene.store.effect("shopify", "prices", "gid://shopify/ProductVariant/4000000001|base", "amount", "1", "2",
                       origin="api")
    assert "unplanned write" in kinds(judge_scene(scene, plan_of(plan)))


def test_a_held_value_that_was_written_fails(night):
    from sandbox.records import Price

    scene, plan = night
    held = one(plan, drift_class="here", entity="prices", system="hubspot")
    price = Price(held["vendor_id"], held["vendor_sub_id"], "EUR", int(held["desired"]))
    scene.vendors["hubspot"].put_prices(scene.store, [price], scene.store.now())
    assert kinds(judge_scene(scene, plan_of(plan))) == {"touched"}


def test_raised_permissions_are_seen():
    before = {("hubspot", "1"): "no", ("hubspot", "2"): "pending", ("mailchimp", "m"): "yes", ("shopify", "s"): "no"}
    now = before | {("hubspot", "2"): "yes", ("mailchimp", "new"): "yes", ("shopify", "s"): "yes"}
    effects = [{"kind": "consents", "vendor": "hubspot", "key": "1", "before": "no", "after": "yes"}]
    proven = Row(1, "shopify", "consents", "state", "s", "email", "raise_with_proof", "not_writable", "no", "yes")
    verdict = Verdict(1)
    judge_permissions(before, now, effects, [proven], verdict)
    assert verdict.raised == 3
    assert {failure.where for failure in verdict.failures} == {
        "hubspot consents 1", "hubspot consents 2", "mailchimp consents new"
    }


def test_persons_are_scored_in_pairs():
    persons = {"A": [("square", "1"), ("shopify", "2"), ("hubspot", "3")], "B": [("square", "4"), ("hubspot", "5")]}
    found = {("square", "1"): "x", ("shopify", "2"): "x", ("hubspot", "3"): "y", ("square", "4"): "y",
             ("hubspot", "5"): "z"}
    result = score(persons, found, set())
    assert (result.true_pairs, result.linked_pairs, result.right_pairs) == (4, 2, 1)
    assert (result.precision, result.recall) == (0.5, 0.25)
    assert strangers(persons, found, set()) == {record for records in persons.values() for record in records}
    exact = {record: person for person, records in persons.items() for record in records}
    assert strangers(persons, exact, set()) == set()
    assert strangers(persons, exact | {("square", "4"): "A"}, {("square", "4")}) == set()


def test_false_merges_fail(night):
    scene, plan = night
    for row in plan:
        if row.get("kind") == "person":
            row["person_id"] = row["person_id"][:-1]
    verdict = judge_scene(scene, plan_of(plan))
    assert "persons" in kinds(verdict)
    assert verdict.persons.precision < 0.5
    assert sum(tally.apart for tally in verdict.tallies.values()) > 0


def _case(row: Row, **facts: Any) -> Case:
    return Case(1, [row], {row.key: facts.pop("now", row.observed)}, **facts)


CUSTOMER = Row(1, "square", "customers", "phone", "C1", "", "elsewhere", "must_push", "+331", "+332", "hubspot")


def test_customers_of_unlinked_persons_are_apart():
    verdict = Verdict(1)
    judge_rows(_case(CUSTOMER, strangers={("square", "C1")}), plan_of([]), verdict)
    assert verdict.is_passed
    assert verdict.tally("customers", "elsewhere").apart == 1


@pytest.mark.parametrize(
    ("note", "now", "passes"), [(LINKED_LATE, "+332", True), (LINKED_LATE, "+331", False), ("", "+332", False)]
)
def test_what_an_earlier_run_wrote_to_a_person_linked_late_is_not_missed(note, now, passes):
    """Only of such a person: a value that waits for somebody and is there all the same was written without a word."""
    verdict = Verdict(1)
    row = replace(CUSTOMER, drift_class="never_agreed", disposition="must_hold", note=note)
    judge_rows(_case(row, now=now), plan_of([]), verdict)
    assert verdict.is_passed is passes


def test_looks_alone_may_be_mended():
    verdict, row = Verdict(1), Row(1, "square", "customers", "city", "C1", "", "", "must_push", "", "")
    planned = {"system": "square", "entity": "customers", "field": "city", "vendor_id": "C1", "observed": "SETE",
               "desired": "Sète", "drift_class": "never_agreed", "disposition": "approve"}
    judge_rows(Case(1, [], {}), plan_of([planned]), verdict)
    assert verdict.is_passed
    assert verdict.looks_only == 1
    assert row.key not in verdict.tallies


@pytest.mark.parametrize(("down", "passes"), [({"hubspot"}, True), ({"shopify"}, True), (set(), False)])
def test_nights_with_a_system_down_may_know_less(down, passes):
    verdict = Verdict(1)
    judge_rows(_case(CUSTOMER, down=frozenset(down)), plan_of([]), verdict)
    assert verdict.is_passed is passes


def test_a_system_that_is_up_is_no_excuse():
    price = Row(1, "hubspot", "prices", "amount", "2", "price", "elsewhere", "must_push", "1", "2", "square")
    for down, passes in (({"shopify"}, False), ({"square"}, True), ({"hubspot"}, True)):
        verdict = Verdict(1)
        judge_rows(_case(price, down=frozenset(down)), plan_of([]), verdict)
        assert verdict.is_passed is passes


def test_other_addresses_are_told_apart():
    row = Row(1, "shopify", "consents", "state", "s", "email", "lower", "must_push", "yes", "no", is_apart=True)
    verdict = Verdict(1)
    judge_rows(_case(row), plan_of([]), verdict)
    assert verdict.is_passed
    assert verdict.other_addresses == {"missed": 1}


def test_two_rows_for_one_value_fail(night):
    scene, plan = night
    plan.append(dict(one(plan, drift_class="here", entity="prices")))
    assert kinds(judge_scene(scene, plan_of(plan))) == {"false"}


def test_a_plan_that_cannot_be_read_names_the_line(tmp_path):
    path = tmp_path / "plan.jsonl"
    with pytest.raises(WorldError, match="no such plan"):
        read_plan(path)
    path.write_text('{"kind": "person", "system": "square", "vendor_id": "C1", "person_id": "x"}\n{"entity": "x"}\n')
    with pytest.raises(WorldError, match="line 2: 'system' is missing"):
        read_plan(path)


def test_the_report_names_examples(night, capsys):
    scene, plan = night
    gone = one(plan, drift_class="here", entity="prices")
    plan.remove(gone)
    console = Console(record=True, width=160)
    print_verdict(judge_scene(scene, plan_of(plan)), console)
    text = console.export_text()
    assert "missed: 1" in text
    assert gone["vendor_id"] in text
    assert "failed: 1 things" in text
