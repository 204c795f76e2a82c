"""The headline tells the truth in every mode: it says "agree" only where agreement was proved."""

import pytest

from pipelines.report.verdict import scope, sentences, standing, unread_systems, verdict
from tests.report.night import AS_OF, STATES, facts, flow, read

CASES = {
    "a failed night without a plan": (
        {"status": "failed", "flow": [], "reads": []}, "The night failed. Nothing was written.",
    ),
    "a failed night that had begun to write": (
        {"status": "failed", "flow": [flow(confirmed=3, unproved=2, waiting=1)]},
        "The night failed. 5 values had been written by then, 3 of them read back.",
    ),
    "a night that goes on": ({"status": "running", "flow": []}, "The night has not ended. Nothing was written."),
    "a dry run": (
        {"status": "planned", "flow": [flow(unpushed=115, waiting=62, refused=17)]},
        "Dry run: nothing was written. 115 values would be corrected, 62 would wait for a person.",
    ),
    "a night that nobody had armed": (
        {"status": "unarmed", "flow": [flow(unpushed=115, waiting=62)]},
        "Planned and not armed: nothing was written. 115 values would be corrected, 62 would wait for a person.",
    ),
    "a dry run that found nothing": (
        {"status": "planned", "flow": []}, "Dry run: nothing was written. Nothing differs in what was read.",
    ),
    "a dry run of observed systems": (
        {"status": "planned", "flow": [flow(observed=9)]},
        "Dry run: nothing was written. 0 values would be corrected.",
    ),
    "a dry run that a person has pushed since": (
        {"status": "planned", "flow": [flow(confirmed=2, waiting=1)]},
        "2 of 3 differences corrected and proved; 1 wait for a person.",
    ),
    "a partial night by its reads": (
        {"reads": [read("square", is_complete=False), read("shopify")]},
        "Partial night: square not read completely, and nothing that depends on it was changed.",
    ),
    "a night on an older ledger": (
        {"status": "partial", "summary": {"too_old": {"rows": 4, "reason": "it is old"}}, "flow": [flow(unpushed=4)]},
        "Partial night: the ledger is older than what was written, so nothing but opt-outs went out.",
    ),
    "a night with values that were refused too often": (
        {"status": "partial", "summary": {"parked": {"shopify": 2, "square": 1}}, "flow": [flow(waiting=3)]},
        "Partial night: 3 values of shopify, square had been refused as often as may be, and wait for a person.",
    ),
    "a partial night by its status": (
        {"status": "partial", "summary": {"unread": [{"system": "hubspot", "entity": "prices", "reason": "down"}]}},
        "Partial night: hubspot not read completely, and nothing that depends on it was changed.",
    ),
    "a partial night that says no more": (
        {"status": "partial"},
        "Partial night: some of it not read completely, and nothing that depends on it was changed.",
    ),
    "a night of which no read is known": (
        {"flow": [], "reads": []}, "Nothing was planned, and no read of this night is on record.",
    ),
    "a night without drift": ({"flow": []}, "The systems agree: nothing differs."),
    "a night without drift, but with rows kept out": (
        {"flow": [], "quarantine": [{"row_count": 3}, {"row_count": 2}]},
        "The systems agree, but for 5 rows in quarantine that nobody could compare.",
    ),
    "a narrowed night without drift": (
        {"flow": [], "summary": {"scope": {"systems": ["shopify"], "entities": [], "keys": 0}}},
        "Within its scope the systems agree: nothing differs.",
    ),
    "all was corrected": (
        {"flow": [flow(confirmed=4)]}, "The systems agree again: 4 differences written and read back.",
    ),
    "all is only observed": (
        {"flow": [flow(observed=36)]},
        "Nothing was written: 36 differences found in systems that are only observed.",
    ),
    "observed, and some held": (
        {"flow": [flow(observed=3, waiting=2)]},
        "Nothing was written: 5 differences stand, 2 of them wait for a person.",
    ),
    "approved, never pushed": ({"flow": [flow(unpushed=115)]}, "Nothing was written: 115 differences stand."),
    "written, not proved": (
        {"flow": [flow(confirmed=4, unproved=1, waiting=2)]},
        "4 of 7 differences corrected and proved; 1 written value could not be proved yet.",
    ),
    "some wait": (
        {"flow": [flow(confirmed=4, waiting=2)]}, "4 of 6 differences corrected and proved; 2 wait for a person.",
    ),
    "the rest cannot be written": (
        {"flow": [flow(confirmed=4, not_writable=2)]}, "4 of 6 differences corrected and proved; 2 remain.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_headline_tells_how_the_night_ended(name):
    changes, words = CASES[name]
    assert verdict(facts(**changes)) == words


@pytest.mark.parametrize("state", [name for name in STATES if name != "confirmed"])
@pytest.mark.parametrize("status", ["complete", "partial", "planned", "failed", "running"])
def test_no_night_with_an_open_value_says_that_the_systems_agree(state, status):
    told = verdict(facts(status=status, flow=[flow(confirmed=5, **{state: 1})]))
    assert "agree" not in told
    assert "agree" not in verdict(facts(status=status, flow=[flow(**{state: 1})]))


@pytest.mark.parametrize("state", [name for name in STATES if name != "confirmed"])
def test_every_open_value_is_told_where_it_stands(state):
    told = " ".join(sentences(facts(flow=[flow(confirmed=5, **{state: 3})])))
    assert f"3 {dict(standing(facts()))[state]}" in told


def test_what_is_not_wanted_any_more_and_may_be_imported_is_no_agreement():
    unwanted = [{"system": "files", "entity": "prices", "field": "amount", "request": "f", "asked_at": AS_OF,
                 "row_count": 2}] * 2
    night = facts(flow=[], rows=[], drift=[], unwanted=unwanted)
    assert verdict(night) == "Nothing differs, but 4 values asked for earlier and not wanted any more may be imported."
    told = "4 values asked for earlier and not wanted any more may still be imported."
    assert told in sentences(facts(unwanted=unwanted))


def test_a_dry_run_calls_nothing_late():
    night = facts(status="planned", flow=[flow(unpushed=3)])
    assert "3 would be written" in " ".join(sentences(night))
    assert "not pushed" not in " ".join(sentences(night))


def test_what_is_not_armed_is_told_with_the_reason():
    night = facts(status="unarmed", summary={"unarmed": {"rows": 3, "reason": "nothing has been armed; `trueup arm`"}})
    assert "3 rows may go by policy and are not armed: nothing has been armed; `trueup arm`." in sentences(night)
    assert not any("not armed" in sentence for sentence in sentences(facts()))


def test_what_an_older_ledger_kept_back_is_told_with_the_cure():
    night = facts(status="partial", summary={"too_old": {"rows": 3, "reason": "it was lost. `trueup restore`"}})
    assert "3 rows may go by policy and were kept back: it was lost. `trueup restore`." in sentences(night)


def test_scope_is_named_and_its_keys_are_only_counted():
    night = facts(summary={"scope": {"systems": ["shopify", "square"], "entities": ["prices"], "keys": 2}})
    assert scope(night) == "shopify, square; prices; 2 keys"
    assert any("narrowed to shopify, square; prices; 2 keys" in sentence for sentence in sentences(night))
    assert scope(facts()) == ""


def test_systems_that_were_not_read_whole_come_from_the_reads_and_from_the_run():
    night = facts(
        reads=[read("square", is_complete=False), read("shopify")],
        summary={"unread": [{"system": "hubspot", "entity": "prices", "reason": "down"}]},
    )
    assert unread_systems(night) == ["hubspot", "square"]
