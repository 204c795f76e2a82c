"""The plan's rows on the page: every disposition has its place, reasons stand once, the riskiest comes first."""

import pytest

from pipelines.model import Disposition
from pipelines.report.page import render
from pipelines.report.sections import ROWS_OPEN, sections
from tests.report.night import AS_OF, facts, flow, rich_night, row, unsent

HEADS = {
    Disposition.HOLD: "Held: waiting for a person",
    Disposition.REFUSE: "Refused by a guard",
    Disposition.NOT_WRITABLE: "Cannot be written: a work list",
    Disposition.OBSERVE: "Observed: would be changed if the system were live",
    Disposition.PIN: "Answered: pinned or rejected",
    Disposition.REJECT: "Answered: pinned or rejected",
    Disposition.APPROVE: "Approved, not pushed",
}


@pytest.mark.parametrize("disposition", list(Disposition))
def test_every_disposition_that_the_ledger_allows_is_shown(disposition):
    state = {"hold": "waiting", "refuse": "refused", "observe": "observed", "pin": "answered", "reject": "answered",
             "approve": "unpushed"}.get(disposition, str(disposition))
    page = render(facts(rows=[unsent(disposition, title="Robe à pois")], flow=[flow(**{state: 1})]))
    assert f"{HEADS[disposition]} <small>1</small>" in page
    assert "Robe à pois" in page


def test_no_row_of_a_rich_night_is_left_out():
    night = rich_night()
    shown = [one["correction_key"] for section in sections(night) for group in section.groups for one in group.rows]
    assert sorted(shown) == sorted(one["correction_key"] for one in night.rows)
    assert [section.total for section in sections(night)] == [200, 200, 200, 200, 400, 260]


@pytest.mark.parametrize(
    ("status", "line", "changes", "head"),
    [
        ("planned", {"unpushed": 1}, {"outcome": None}, "Approved by policy: would be written"),
        ("complete", {"unpushed": 1}, {"outcome": None}, "Approved, not pushed"),
        ("complete", {"confirmed": 1}, {}, "Approved and pushed"),
        ("complete", {"confirmed": 1, "unpushed": 1}, {}, "Approved, and pushed in part"),
    ],
)
def test_nothing_is_called_pushed_that_was_not(status, line, changes, head):
    night = facts(status=status, flow=[flow(**line)], rows=[row(**changes)])
    assert [section.title for section in sections(night)] == [head]


def test_a_held_row_that_was_released_since_is_among_the_approved():
    night = facts(flow=[flow(confirmed=1)], rows=[row(disposition="hold")])
    assert [section.key for section in sections(night)] == ["approve"]


def test_an_answer_is_shown_with_its_author_and_its_end():
    page = render(facts(
        flow=[flow(answered=2)],
        rows=[
            unsent("pin", answered_by="amelie", answered_until=AS_OF.replace(day=30)),
            unsent("reject", answered_by="bruno", correction_key="r" * 64),
        ],
    ))
    assert "pin by amelie, until 2026-06-30" in page
    assert "reject by bruno" in page


def test_high_risk_comes_before_medium_before_low_and_the_biggest_change_first():
    rows = [
        unsent("hold", risk=risk, change_size=size, correction_key=f"{risk}{size}".ljust(64, "0"))
        for risk in ("low", "medium", "high") for size in (0.1, 0.5, None)
    ]
    (section,) = sections(facts(rows=rows, flow=[flow(waiting=9)]))
    (group,) = section.groups
    assert [(one["risk"], one["change_size"]) for one in group.rows] == [
        (risk, size) for risk in ("high", "medium", "low") for size in (0.5, 0.1, None)
    ]
    assert group.risk == "high"
    assert group.biggest is group.rows[0]


def test_a_reason_that_many_rows_share_is_told_once():
    rows = [unsent("hold", correction_key=f"{n:064d}", reason="square and shopify both moved") for n in range(9)]
    assert render(facts(rows=rows, flow=[flow(waiting=9)])).count("square and shopify both moved") == 1


def test_reasons_that_differ_in_figures_alone_are_one_with_letters():
    rows = [
        unsent(
            "hold", correction_key=f"{n:064d}", entity="stock", currency=None, change_size=9.0 - n,
            reason=f"{n} units are not accounted for since 2026-06-15; square counts {n + 40}.",
        )
        for n in (2, 3, 5)
    ]
    (section,) = sections(facts(rows=rows, flow=[flow(waiting=3)]))
    (reason,) = section.groups[0].reasons
    assert reason.sentence == "n units are not accounted for since 2026-06-15; square counts m."
    assert [reason.figures(one) for one in reason.rows] == ["n = 2, m = 42", "n = 3, m = 43", "n = 5, m = 45"]
    assert "n = 3, m = 43" in render(facts(rows=rows, flow=[flow(waiting=3)]))


def test_a_reason_of_one_row_keeps_its_figures_and_dates_are_no_figures():
    told = ["15 % off until 2026-06-19.", "15 % off until 2026-06-20."]
    rows = [unsent("hold", correction_key=f"{n:064d}", reason=words) for n, words in enumerate(told)]
    (section,) = sections(facts(rows=rows, flow=[flow(waiting=2)]))
    assert [reason.sentence for reason in section.groups[0].reasons] == told
    assert {reason.figures(reason.rows[0]) for reason in section.groups[0].reasons} == {""}


def test_groups_are_by_entity_and_decision_and_open_until_enough_is_seen():
    rows = [
        unsent("hold", correction_key=f"{n:064d}", disposition_reason=f"decision {n % 2}", risk="low")
        for n in range(2 * ROWS_OPEN)
    ]
    (section,) = sections(facts(rows=rows, flow=[flow(waiting=2 * ROWS_OPEN)]))
    assert [(group.decision, len(group.rows), group.is_open) for group in section.groups] == [
        ("decision 0", ROWS_OPEN, True), ("decision 1", ROWS_OPEN, False),
    ]


def test_what_is_not_on_the_page_is_said():
    page = render(facts(rows=[unsent("hold", alike_count=70)], flow=[flow(waiting=500)]))
    assert "1 of 500 rows are on this page" in page
    assert "1 of 70 are shown" in page


def test_a_hold_that_no_approval_lifts_prints_no_answer_and_says_so():
    page = render(facts(rows=[unsent("hold", is_releasable=False)], flow=[flow(waiting=1)]))
    assert "An approval does not lift this hold" in page
    assert "trueup approve" not in page
