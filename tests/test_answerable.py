"""Which answers a row takes: whatever no night would obey is refused with what to do instead."""

from datetime import timedelta

import pytest

from pipelines.errors import DataError
from pipelines.ledger.answerable import check_answer
from tests.plan.world import AS_OF, insert

KINDS = ("approve", "reject", "accept-theirs", "pin")


def row(con, **rest):
    """One correction of the newest plan, held unless told otherwise; returns its key."""
    insert(con, "ledger.sync.plans", [{
        "plan_id": "p", "night_id": "n", "lane": "main", "estate": "e", "as_of": AS_OF, "created_at": AS_OF,
        "expires_at": AS_OF, "fingerprint": "f", "row_count": 1, "summary": "{}",
    }])
    insert(con, "ledger.sync.corrections", [{
        "plan_id": "p", "correction_key": "k", "estate": "e", "system": "shopify", "entity": "prices",
        "field": "amount",
        "vendor_id": "v", "vendor_sub_id": "", "subject_id": "s", "subject_sub_id": "", "observed": "1",
        "has_base": True,
        "desired": "2", "drift_class": "here", "authority": "square", "rule": "source of truth",
        "reason": "x", "risk": "low", "disposition": "hold", "disposition_reason": "Why.",
        "is_releasable": True, "is_new": True,
    } | rest])
    return "k"


def taken(con, key):
    """The answers that the row takes, and the sentences for the others."""
    found, told = set(), set()
    for kind in KINDS:
        try:
            check_answer(con, key, kind)
            found.add(kind)
        except DataError as error:
            told.add(error.message)
    return found, told


@pytest.mark.parametrize("disposition", ["hold", "pin", "reject"])
def test_a_held_row_takes_every_answer(con, disposition):
    assert taken(con, row(con, disposition=disposition))[0] == set(KINDS)


@pytest.mark.parametrize(("change", "answers", "cure"), [
    ({"disposition": "refuse"}, set(), "only the policy file can change that"),
    ({"entity": "consents", "field": "state", "drift_class": "lower", "disposition": "approve"}, set(),
     "needs no answer"),
    ({"disposition": "not_writable"}, {"accept-theirs"}, "Change it in shopify by hand, or `trueup accept-theirs`"),
    ({"disposition": "observe"}, {"accept-theirs"}, "Open prices of shopify in estate.toml first"),
    ({"disposition": "approve", "approver": "policy"}, {"reject", "pin", "accept-theirs"},
     "the policy has approved it"),
    ({"disposition": "approve", "approver": "Ana"}, {"reject", "pin", "accept-theirs"}, "Ana has approved it already"),
    ({"authority": "shopify"}, {"approve", "reject", "pin"}, "the source of truth itself"),
    ({"rule": "promotion"}, {"approve", "reject", "pin"}, "made from square's by a rule (promotion)"),
    ({"rule": "derived price"}, {"approve", "reject", "pin"}, "no price that square could take"),
    ({"field": "compare_at"}, {"approve", "reject", "pin"}, "has no compare_at of its own"),
    ({"entity": "consents", "field": "state", "observed": "yes"}, {"approve", "reject", "pin"},
     "only a no can be accepted"),
])
def test_what_a_row_does_not_take_is_told_with_its_cure(con, change, answers, cure):
    found, told = taken(con, row(con, **change))
    assert found == answers
    assert any(cure in sentence for sentence in told)


@pytest.mark.parametrize(("proof", "is_open"), [(None, False), ("confirmed", False), ("settling", False),
    ("overwritten", True)])
def test_a_row_that_has_been_written_takes_none(con, proof, is_open):
    key = row(con)
    insert(con, "ledger.sync.outcomes", [
        {"plan_id": "p", "correction_key": key, "status": status, "code": "", "message": "", "request_id": "",
         "at": AS_OF + timedelta(minutes=minute)} for minute, status in enumerate(("unknown", "applied"))
    ])
    if proof:
        insert(con, "ledger.sync.verifications", [{"plan_id": "p", "correction_key": key, "status": proof,
            "at": AS_OF}])
    found, told = taken(con, key)
    assert found == (set(KINDS) if is_open else set())
    assert is_open or told == {"shopify has been written already; `trueup why` says when"}


def test_a_row_of_no_plan_takes_none(con):
    assert taken(con, "nobody") == (set(), {"no plan holds this correction"})
