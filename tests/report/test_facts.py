"""The report's queries on a real warehouse: counts add up, rows are named and ranked, the trend leaves nothing out."""

from datetime import timedelta

import pytest

from pipelines.errors import ConfigurationError
from pipelines.report.facts import night_facts, plan_rows
from pipelines.report.page import write_report
from tests.plan.world import insert
from tests.report.night import AS_OF, STATES

OUTCOMES = {
    "confirmed": ("applied", "confirmed"), "unproved": ("applied", "settling"), "untaken": ("stale", None),
}
DISPOSITIONS = {
    "waiting": "hold", "refused": "refuse", "not_writable": "not_writable", "observed": "observe", "answered": "pin",
}


def a_night(con, night_id="n1", *, day=1, kind="nightly", status="complete", summary="{}"):
    at = AS_OF + timedelta(days=day)
    insert(con, "ledger.sync.nights", [{
        "night_id": night_id, "estate": "maison", "kind": kind, "as_of": at, "started_at": at, "finished_at": at,
        "status": status, "summary": summary,
    }])
    insert(con, "ledger.sync.plans", [{
        "plan_id": f"{night_id}-main", "night_id": night_id, "lane": "main", "estate": "maison", "as_of": at,
        "created_at": at, "expires_at": at, "fingerprint": "f", "row_count": 0, "summary": "{}",
    }])


def a_row(con, key, *, night_id="n1", outcome=None, code="", verification=None, allowed=False, **changes):
    plan_id = f"{night_id}-main"
    insert(con, "ledger.sync.corrections", [{
        "plan_id": plan_id, "correction_key": key, "estate": "maison", "system": "shopify", "entity": "prices",
        "field": "amount", "vendor_id": "v1", "vendor_sub_id": "base", "subject_id": "i1", "subject_sub_id": "eur",
        "currency": "EUR", "observed": "1000", "base": "1000", "has_base": True, "desired": "1100",
        "drift_class": "elsewhere", "authority": "square", "rule": "r", "reason": "square moved", "risk": "low",
        "disposition": "approve", "disposition_reason": "policy", "is_releasable": False, "is_new": True,
    } | changes])
    if outcome:
        insert(con, "ledger.sync.outcomes", [{
            "plan_id": plan_id, "correction_key": key, "status": outcome, "code": code, "message": "",
            "request_id": "", "at": AS_OF,
        }])
    if verification:
        insert(con, "ledger.sync.verifications", [{
            "plan_id": plan_id, "correction_key": key, "status": verification, "at": AS_OF,
        }])
    if allowed:
        insert(con, "ledger.sync.approvals", [{
            "plan_id": plan_id, "correction_key": key, "approver": "Ana", "reason": "r", "approved_at": AS_OF,
            "valid_until": AS_OF, "fingerprint": "f",
        }])


def an_item(con, item_id, sku, *titles):
    insert(con, "observed.items", [
        {"system": system, "vendor_id": f"{system}-{item_id}", "item_id": item_id, "title": title}
        for system, title in zip(("square", "hubspot"), titles, strict=True)
    ])
    insert(con, "golden.items", [{"item_id": item_id, "sku": sku}])


def test_a_night_that_the_ledger_does_not_know_is_named(con):
    with pytest.raises(ConfigurationError, match="'n9'"):
        night_facts(con, "n9")


def test_every_planned_value_stands_in_exactly_one_place(con):
    a_night(con)
    for name in STATES:
        outcome, verification = OUTCOMES.get(name, (None, None))
        a_row(con, name, disposition=DISPOSITIONS.get(name, "approve"), outcome=outcome, verification=verification)
    a_row(con, "released", disposition="hold", outcome="applied", verification="confirmed", allowed=True)
    a_row(con, "released, not pushed", disposition="hold", allowed=True)
    a_row(con, "rejected", disposition="reject")
    (line,) = night_facts(con, "n1").flow
    expected = dict.fromkeys(STATES, 1) | {"confirmed": 2, "unpushed": 2, "answered": 2}
    assert {name: line[name] for name in STATES} == expected
    assert line["planned"] == sum(expected.values())
    assert (line["pushed"], line["held"], line["seen_at"]) == (3, 3, AS_OF)


def test_what_remains_names_its_cause(con):
    a_night(con)
    a_row(con, "a", outcome="skipped", code="expired")
    a_row(con, "b", outcome="applied", verification="overwritten")
    a_row(con, "c", disposition="hold", disposition_reason="for a person")
    a_row(con, "d", disposition="hold", disposition_reason="for a person", allowed=True)
    a_row(con, "e", outcome="applied", verification="confirmed")
    assert {row["cause"]: row["row_count"] for row in night_facts(con, "n1").remaining} == {
        "push: skipped (expired)": 1, "verify: overwritten": 1, "hold: for a person": 1, "approved, not pushed": 1,
    }


def asked_before(con, *, now=None, reads=(), summary="{}", **changes):
    """A price that was asked for on the first of three nights, and what the third says of it."""
    insert(con, "policy.requests", [{"system": "shopify", "entity": "prices", "seconds": 3 * 86400}])
    a_night(con, "n1", day=0)
    a_night(con, "n3", day=2, summary=summary)
    a_row(con, "asked", night_id="n1", **{"outcome": "applied", "verification": "settling"} | changes)
    con.execute("UPDATE ledger.sync.outcomes SET request_id = 'prices.csv'")
    if now:
        a_row(con, "now", night_id="n3", **now)
    insert(con, "ledger.sync.reads", [{
        "system": "shopify", "endpoint": "e", "entities": ["prices"], "kind": "census", "is_complete": is_complete,
        "reason": "", "row_count": 1, "page_count": 1, "started_at": AS_OF, "finished_at": AS_OF, "cursor_to": AS_OF,
        "night_id": "n3",
    } for is_complete in reads])
    return [(row["request"], row["row_count"]) for row in night_facts(con, "n3").unwanted]


@pytest.mark.parametrize("night", [
    {}, {"reads": [True]}, {"verification": "unconfirmed"}, {"verification": None},
    {"now": {"desired": "1000", "disposition": "hold"}}, {"now": {"vendor_id": "v2"}}, {"now": {"field": "compare_at"}},
])
def test_a_request_that_waits_for_what_the_plan_does_not_ask_for_is_told(con, night):
    assert asked_before(con, **night) == [("prices.csv", 1)]


@pytest.mark.parametrize("night", [
    {"now": {"disposition": "hold"}}, {"verification": "confirmed"}, {"verification": "overwritten"},
    {"outcome": "stale"}, {"reads": [True, False]}, {"summary": '{"scope": {"systems": ["shopify"]}}'},
    {"entity": "stock"}, {"now": {"outcome": "applied", "desired": "900", "verification": "confirmed"}},
])
def test_a_request_that_is_wanted_superseded_or_carried_out_is_not_told(con, night):
    assert asked_before(con, **night) == []


def test_a_request_that_has_waited_too_long_is_not_told(con):
    asked_before(con)
    a_night(con, "n4", day=3)
    assert night_facts(con, "n4").unwanted == []


def test_rows_come_by_risk_and_not_by_its_letters_and_then_by_size(con):
    a_night(con)
    for risk in ("low", "medium", "high"):
        for desired in ("1100", "1900", "1200"):
            a_row(con, f"{risk}{desired}", risk=risk, desired=desired)
    assert [row["correction_key"] for row in plan_rows(con, "n1", most=99)] == [
        f"{risk}{desired}" for risk in ("high", "medium", "low") for desired in ("1900", "1200", "1100")
    ]


def test_a_page_that_is_full_keeps_the_riskiest_and_some_of_each_decision(con):
    a_night(con)
    for number in range(40):
        a_row(con, f"low{number:02d}", disposition_reason="many")
    a_row(con, "rare", disposition_reason="rare")
    a_row(con, "risky", risk="high", disposition_reason="many")
    keys = [row["correction_key"] for row in plan_rows(con, "n1", most=3)]
    assert keys[0] == "risky"
    assert "rare" in keys
    assert len(keys) == 7
    assert {row["alike_count"] for row in plan_rows(con, "n1", most=3)} == {41, 1}


def test_a_row_has_the_real_sku_the_title_that_names_the_size_and_its_tax_basis(con):
    a_night(con)
    an_item(con, "0ece34e8-25b9-81c3-8757-7db50492c82f", "ROB-0417-38", "Robe « Anaïs »", "Robe « Anaïs » 38")
    insert(con, "observed.prices", [
        {"system": "shopify", "vendor_id": "v1", "vendor_price_list": "base", "tax_basis": "gross"},
        {"system": "shopify", "vendor_id": "v1", "vendor_price_list": "other", "tax_basis": "net"},
    ])
    a_row(con, "a", subject_id="0ece34e8-25b9-81c3-8757-7db50492c82f")
    (row,) = plan_rows(con, "n1", most=9)
    assert (row["sku"], row["title"], row["tax_basis"]) == ("ROB-0417-38", "Robe « Anaïs » 38", "gross")
    assert (row["base"], row["has_base"], row["change_size"]) == ("1000", True, pytest.approx(0.1))


def test_an_answered_row_says_who_and_until_when(con):
    a_night(con)
    a_row(con, "a", disposition="pin")
    insert(con, "ledger.sync.answers", [
        {"answer_id": "1", "correction_key": "a", "answer": "pin", "author": "Ana", "reason": "r", "at": AS_OF,
         "until": AS_OF + timedelta(days=1)},
        {"answer_id": "2", "correction_key": "a", "answer": "pin", "author": "Bo", "reason": "r",
         "at": AS_OF + timedelta(hours=1), "until": AS_OF + timedelta(days=9)},
        {"answer_id": "3", "correction_key": "a", "answer": "approve", "author": "Cy", "reason": "r",
         "at": AS_OF - timedelta(days=4)},
    ])
    (row,) = plan_rows(con, "n1", most=9)
    assert (row["answered_by"], row["answered_until"]) == ("Bo", AS_OF + timedelta(days=9))


def test_the_trend_has_the_quiet_nights_and_leaves_out_what_is_none(con):
    a_night(con, "first", day=0, kind="adopt")
    a_row(con, "z", night_id="first")
    a_night(con, "n1", day=1)
    a_row(con, "a", night_id="n1")
    a_row(con, "b", night_id="n1", drift_class="here")
    a_night(con, "narrow", day=2, kind="sync_now", summary='{"scope": {"systems": ["shopify"]}}')
    a_night(con, "quiet", day=3)
    a_night(con, "dry", day=4, kind="sync_now", status="planned")
    a_row(con, "c", night_id="dry")
    a_night(con, "broken", day=5, status="failed")
    a_night(con, "last", day=6)
    a_row(con, "a", night_id="last", is_new=False)
    a_row(con, "c", night_id="last", is_new=False)
    a_night(con, "later", day=7)
    trend = night_facts(con, "last").trend
    assert [(row["night_id"], row["system"], row["drift_class"], row["row_count"]) for row in trend] == [
        ("n1", "shopify", "elsewhere", 1), ("n1", "shopify", "here", 1), ("quiet", None, None, 0),
        ("last", "shopify", "elsewhere", 1),
    ], "what a dry run saw first counts for the night after it; what was carried does not count again"


def test_the_backlog_is_what_waited_and_what_was_proved(con):
    a_night(con, "n1", day=1)
    a_row(con, "a", disposition="hold")
    a_row(con, "b", disposition="hold", outcome="applied", verification="confirmed", allowed=True)
    a_row(con, "c", outcome="applied", verification="confirmed")
    a_night(con, "n2", day=2)
    told = [(row["night_id"], row["waiting"], row["confirmed"]) for row in night_facts(con, "n2").backlog]
    assert told == [("n1", 1, 2), ("n2", 0, 0)]


def test_the_report_is_private_and_says_what_the_run_wrote_down(con, tmp_path):
    a_night(con, summary='{"calls": {"square": {"read": 3, "read_least": 2, "write": 0, "write_least": 0, '
            '"throttled": 0, "waited_seconds": 0.0}}, "scope": {"systems": ["shopify"], "entities": [], "keys": 1}}')
    a_row(con, "a", disposition="observe")
    page = write_report(con, "n1", tmp_path)
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text(encoding="utf-8")
    assert "narrowed to shopify; 1 key" in text
    assert "systems that are only observed" in text
    assert "API calls" in text
