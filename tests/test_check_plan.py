"""Checks of the plan: what each notices in a draft, what a failed one holds, and that a fatal one leaves no plan."""

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.approve import approve_by_person, approve_by_policy
from pipelines.check import check_draft, declared_checks, draft_results
from pipelines.check.run import evaluate
from pipelines.errors import UnsafePlan
from pipelines.plan import decide, seal_plan
from tests.arming import ARMED
from tests.plan.world import AS_OF, VirtualClock, consent, drift, fresh, insert, plan_rows, policy

ROWS = (
    drift(),
    drift(vendor_id="v2", subject_id="i2"),
    drift("hubspot", vendor_id="h1"),
    drift("shopify", "stock", "available", vendor_sub_id="loc", observed="5", desired="4", drift_class="explained",
          subject_sub_id="paris"),
    drift("hubspot", "customers", "city", vendor_id="c1", vendor_sub_id="", subject_id="p1", subject_sub_id="",
          observed="Lyon", desired="Paris"),
)


@pytest.fixture
def night() -> Iterator[duckdb.DuckDBPyConnection]:
    """Five harmless corrections, all approved by policy."""
    con = fresh()
    policy(con)
    insert(con, "estate.price_lists", [
        {"system": system, "vendor_price_list": "base", "price_list_id": "eur", "currency": "EUR", "tax_basis": "gross"}
        for system in ("shopify", "hubspot")
    ])
    insert(con, "estate.locations", [{"system": "shopify", "vendor_location_id": "loc", "location_id": "paris"}])
    insert(con, "reconcile.drift", ROWS)
    decide(con, "main")
    assert con.execute("SELECT DISTINCT disposition FROM plan.decided").fetchall() == [("approve",)]
    yield con
    con.execute("DROP TABLE IF EXISTS checks.of_plan")


def failed(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """The SQL checks of the plan that fail now, with what they would stop."""
    found = evaluate(con, [check for check in declared_checks() if check.is_of_plan and check.sql])
    return {one.check.name: list(one.stops) for one in found if one.failed_rows}


def test_a_plan_as_the_planner_makes_it_passes_all_its_checks(night: duckdb.DuckDBPyConnection) -> None:
    results = check_draft(night, "main")
    assert [result.name for result in results if not result.passed] == []
    assert {result.name for result in results} == {check.name for check in declared_checks() if check.is_of_plan}
    assert [result.name for result in draft_results(night)] == sorted(result.name for result in results)


SHOPIFY_PRICES = "system = 'shopify' AND entity = 'prices' AND vendor_id = 'v1'"
TAMPERED = [
    ("plan_row_unexplained", "UPDATE plan.decided SET reason = ' ' WHERE {}"),
    ("plan_row_unexplained", "UPDATE plan.decided SET rule = '' WHERE {}"),
    ("plan_row_unexplained", "UPDATE plan.decided SET approver = NULL WHERE {}"),
    ("plan_changes_nothing", "UPDATE plan.decided SET desired = observed WHERE {}"),
    ("plan_value_twice", "UPDATE plan.decided SET vendor_id = 'v2' WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET desired = '-1' WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET desired = '0', old_minor = NULL WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET desired = 'cheap' WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET desired = NULL WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET currency = NULL WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET cost_minor = 1101 WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET desired = '1301' WHERE {}"),
    ("plan_price_unsafe", "UPDATE plan.decided SET desired = '699' WHERE {}"),
    ("plan_unread_written", "INSERT INTO reads.verdicts VALUES ('shopify', 'prices', false, 'cut short')"),
    ("plan_over_caps", "UPDATE policy.caps SET floor_rows = 1 WHERE system = 'shopify' AND entity = 'prices'"),
    ("plan_over_caps", "UPDATE policy.caps SET max_rows = 1 WHERE system = 'shopify' AND entity = 'prices'"),
    ("plan_target_closed", "DELETE FROM policy.targets WHERE system = 'shopify' AND entity = 'prices'"),
    ("plan_target_closed",
     "UPDATE policy.targets SET is_writable = false WHERE system = 'shopify' AND entity = 'prices'"),
    ("plan_target_closed", "UPDATE policy.targets SET mode = 'observe' WHERE system = 'shopify' AND entity = 'prices'"),
    ("plan_target_closed", "UPDATE policy.targets SET mode = 'pilot' WHERE system = 'shopify' AND entity = 'prices'"),
    ("plan_place_unmapped", "DELETE FROM estate.price_lists WHERE system = 'shopify'"),
]


@pytest.mark.parametrize(("name", "statement"), TAMPERED, ids=[f"{name}-{n}" for n, (name, _) in enumerate(TAMPERED)])
def test_what_a_sound_planner_never_makes_is_noticed(
    night: duckdb.DuckDBPyConnection, name: str, statement: str
) -> None:
    assert failed(night) == {}
    night.execute(statement.format(SHOPIFY_PRICES))
    assert failed(night)[name] == [("shopify", "prices")]


@pytest.mark.parametrize("desired", ["-1", "lots", None])
def test_a_level_that_no_shop_can_hold_is_noticed(night: duckdb.DuckDBPyConnection, desired: str | None) -> None:
    night.execute("UPDATE plan.decided SET desired = ? WHERE entity = 'stock'", [desired])
    assert failed(night)["plan_stock_unsafe"] == [("shopify", "stock")]


def test_a_location_that_nobody_mapped_is_noticed(night: duckdb.DuckDBPyConnection) -> None:
    night.execute("DELETE FROM estate.locations")
    assert failed(night) == {"plan_place_unmapped": [("shopify", "stock")]}


def test_a_customer_approved_while_opt_outs_are_unread_is_noticed(night: duckdb.DuckDBPyConnection) -> None:
    night.execute("INSERT INTO reads.verdicts VALUES ('mailchimp', 'consents', false, 'down')")
    assert failed(night) == {"plan_unread_written": [("hubspot", "customers")]}


def test_a_source_of_truth_that_was_not_read_is_noticed(night: duckdb.DuckDBPyConnection) -> None:
    night.execute("INSERT INTO reads.verdicts VALUES ('square', 'prices', false, 'down')")
    assert failed(night) == {"plan_unread_written": [("hubspot", "prices"), ("shopify", "prices")]}


@pytest.mark.parametrize(
    ("drift_class", "desired", "approver"),
    [("raise_with_proof", "yes", "policy"), ("raise_without_proof", "yes", "anna"), ("lower", "yes", "policy")],
)
def test_a_permission_raised_without_a_person_over_proof_is_noticed(
    night: duckdb.DuckDBPyConnection, drift_class: str, desired: str, approver: str
) -> None:
    insert(night, "reconcile.consent_drift", [consent()])
    decide(night, "suppression")
    assert failed(night) == {}
    values = [drift_class, desired, approver]
    night.execute("UPDATE plan.decided SET drift_class = ?, desired = ?, approver = ?", values)
    assert failed(night)["plan_permission_raised"] == [("mailchimp", "consents")]


def test_a_no_that_two_rules_say_is_no_value_written_twice_and_else_it_is(night: duckdb.DuckDBPyConnection) -> None:
    insert(night, "reconcile.consent_drift", [consent(rule="withdrawal"), consent(rule="reach")])
    decide(night, "suppression")
    assert night.execute("SELECT disposition, desired FROM plan.decided").fetchall() == [("approve", "no")] * 2
    assert failed(night) == {}
    night.execute("UPDATE plan.decided SET drift_class = 'here' WHERE rule = 'reach'")
    assert failed(night)["plan_value_twice"] == [("mailchimp", "consents")]
    night.execute("UPDATE plan.decided SET drift_class = 'lower', desired = 'pending' WHERE rule = 'reach'")
    assert failed(night)["plan_value_twice"] == [("mailchimp", "consents")]


def test_a_person_may_raise_a_permission_over_proof(night: duckdb.DuckDBPyConnection) -> None:
    insert(night, "reconcile.consent_drift", [consent(observed="no", desired="yes", drift_class="raise_with_proof")])
    decide(night, "suppression")
    night.execute("UPDATE plan.decided SET disposition = 'approve', approver = 'anna'")
    assert failed(night) == {}
    night.execute("DELETE FROM policy.raises")
    assert failed(night)["plan_permission_raised"] == [("mailchimp", "consents")], "no writer of it could"
    night.execute("UPDATE plan.decided SET observed = NULL, desired = 'pending'")
    assert "plan_permission_raised" not in failed(night), "a new subscriber is asked, not raised"


def test_a_failed_check_holds_what_it_covers_and_nobody_can_release_it(night: duckdb.DuckDBPyConnection) -> None:
    night.execute(f"UPDATE plan.decided SET reason = '' WHERE {SHOPIFY_PRICES}")
    result = {one.name: one for one in check_draft(night, "main")}["plan_row_unexplained"]
    assert (result.passed, result.failed_rows, result.covered) == (False, 1, "shopify prices")
    clock = VirtualClock()
    plan_id = seal_plan(night, lane="main", clock=clock)
    rows = plan_rows(night, plan_id)
    held = [row for row in rows if row["disposition"] == "hold"]
    assert {(row["system"], row["entity"]) for row in held} == {("shopify", "prices")} and len(held) == 2
    why = "Failed check: plan_row_unexplained. No prices of shopify are written tonight."
    assert {row["disposition_reason"] for row in held} == {why}
    assert {row["held_since"] for row in held} == {AS_OF}
    assert approve_by_policy(night, plan_id, armed=ARMED, clock=clock) == 3, "the night goes on with all the rest"
    insert(night, "ledger.sync.answers", [
        {"answer_id": row["vendor_id"], "correction_key": row["correction_key"], "answer": "approve", "author": "anna",
         "reason": "sure", "at": AS_OF} for row in held
    ])
    assert approve_by_person(night, plan_id, armed=ARMED, clock=clock) == 0


def test_rows_that_wait_for_a_person_keep_their_reason_and_wait_for_the_check_too(
    night: duckdb.DuckDBPyConnection,
) -> None:
    night.execute("DELETE FROM policy.decisions WHERE drift_class = 'elsewhere' AND entity = 'prices'")
    decide(night, "main")
    night.execute(f"UPDATE plan.decided SET reason = '' WHERE {SHOPIFY_PRICES}")
    check_draft(night, "main")
    (reason, is_releasable), *_ = night.execute(
        f"SELECT disposition_reason, is_releasable FROM plan.decided WHERE {SHOPIFY_PRICES}"
    ).fetchall()
    held = "The policy holds prices.amount for a person; changed by its source of truth."
    assert reason.startswith(f"{held} Failed check: ")
    assert not is_releasable
    others = night.execute("SELECT is_releasable FROM plan.decided WHERE system = 'hubspot' AND entity = 'prices'")
    assert others.fetchall() == [(True,)]


def test_an_opt_out_is_held_by_no_check(night: duckdb.DuckDBPyConnection) -> None:
    raised = {"observed": "no", "desired": "yes", "drift_class": "raise_with_proof"}
    insert(night, "reconcile.consent_drift", [consent(), consent(vendor_id="v2", subject_id="cp2", **raised)])
    decide(night, "suppression")
    night.execute("UPDATE plan.decided SET disposition = 'approve', approver = 'policy', reason = ''")
    check_draft(night, "suppression")
    found = night.execute("SELECT vendor_id, disposition FROM plan.decided ORDER BY vendor_id").fetchall()
    assert found == [("v1", "approve"), ("v2", "hold")]


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("plan_key_twice", "INSERT INTO plan.decided SELECT * FROM plan.decided WHERE {}"),
        ("plan_key_false", "UPDATE plan.decided SET desired = '1200' WHERE {}"),
    ],
)
def test_a_broken_key_leaves_no_plan_to_approve(night: duckdb.DuckDBPyConnection, name: str, statement: str) -> None:
    night.execute(statement.format(SHOPIFY_PRICES))
    with pytest.raises(UnsafePlan, match=name):
        check_draft(night, "main")
    assert night.execute("SELECT count(*) FROM ledger.sync.plans").fetchone() == (0,)
    told = {result.name: result for result in draft_results(night)}
    assert not told[name].passed and told[name].severity == "fatal"


def test_what_the_first_round_of_opt_outs_found_stays(night: duckdb.DuckDBPyConnection) -> None:
    insert(night, "reconcile.consent_drift", [consent()])
    decide(night, "suppression")
    night.execute("UPDATE plan.decided SET reason = ''")
    check_draft(night, "suppression")
    decide(night, "main")
    check_draft(night, "main")
    check_draft(night, "main")
    result = {one.name: one for one in draft_results(night)}["plan_row_unexplained"]
    assert (result.passed, result.failed_rows, result.covered) == (False, 1, "mailchimp consents")
    night.execute("UPDATE estate.night SET night_id = 'n2'")
    check_draft(night, "main")
    assert all(one.passed for one in draft_results(night)), "another night tells of its own"
