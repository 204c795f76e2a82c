"""Opt-outs go first, whatever becomes of the rest of the night; where they cannot go, no customer is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

import resources.steps
from pipelines.push import PushReport
from resources.tonight import Tonight
from tests.nights.conftest import SIZE
from tests.nights.harness import Night, PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
SIDE_EFFECTS = ("hs_email_optout", "email_consent", "status", "unsubscribe")


def opt_outs(night: Night) -> list[int]:
    """Positions of the opt-outs among all that was written."""
    return [position for position, effect in enumerate(night.effects) if is_opt_out(effect)]


def is_opt_out(effect: dict) -> bool:
    """A permission, or what a vendor keeps beside it."""
    return effect["kind"] == "consents" or str(effect["field"]).startswith(SIDE_EFFECTS)


def test_opt_outs_are_written_before_anything_else(second: tuple[PlayedEstate, Night]) -> None:
    _, night = second
    positions = opt_outs(night)
    assert positions == list(range(len(positions)))
    assert {night.effects[position]["vendor"] for position in positions} == {"shopify", "hubspot", "mailchimp"}
    assert len(night.effects) > len(positions)
    lowered = night.chosen(drift_class="lower", disposition="approve")
    assert {row["lane"] for row in lowered} == {"suppression"}
    assert {row["verification"] for row in lowered} == {"confirmed"}


def test_opt_outs_have_gone_out_when_persons_fail(
    lived: PlayedEstate, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(con: object, **means: object) -> None:
        raise MemoryError("too many pairs")

    monkeypatch.setattr("pipelines.reconcile.persons.reconcile_persons", broken)
    played = copy(lived)
    night = played.night()
    assert night.status == "partial"
    assert "persons could not be told apart: MemoryError" in night.words
    must = {
        (row.system, row.vendor_id) for row in played.truth()
        if row.drift_class == "lower" and row.disposition == "must_push" and not row.is_apart
    }
    assert must <= {(r["system"], r["vendor_id"]) for r in night.chosen(drift_class="lower", verification="confirmed")}
    positions = opt_outs(night)
    assert positions == list(range(len(positions)))
    written = {effect["kind"] for effect in night.effects[len(positions):]}
    assert written == {"prices", "products", "stock"}, "goods go on, customers wait"
    assert night.chosen(entity="customers", disposition="approve") == []
    monkeypatch.undo()
    assert played.night().status == "complete"
    assert played.judge().is_passed


def test_no_customer_is_written_where_opt_outs_cannot_be_sent(
    lived: PlayedEstate, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = resources.steps.send

    def only_goods(night: Tonight, plan_id: str) -> PushReport:
        if "suppression" in plan_id:
            raise RuntimeError("no way out")
        return send(night, plan_id)

    monkeypatch.setattr(resources.steps, "send", only_goods)
    played = copy(lived)
    night = played.night()
    assert night.status == "partial"
    assert opt_outs(night) == []
    assert {effect["kind"] for effect in night.effects} == {"prices", "products", "stock"}
    monkeypatch.undo()
    assert opt_outs(played.night()), "they go out the next night"
    assert played.judge().is_passed


def test_a_no_reaches_other_addresses_on_the_night_that_recognises_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_links = {"rule": "withdrawal of the same person", "desired": "no"}
    played = PlayedEstate.made(tmp_path / "first", SIZE)
    night = played.night("adopt")  # every link is new
    reached = night.chosen(**over_links)
    assert reached and {row["lane"] for row in reached} == {"suppression"}
    writable = [row for row in reached if row["disposition"] == "approve"]
    assert writable and {row["verification"] for row in writable} == {"confirmed"}
    positions = opt_outs(night)
    assert positions == list(range(len(positions))), "both rounds before anything else"
    assert [row for row in played.night().new if row["entity"] == "consents"] == []

    monkeypatch.setattr("pipelines.reconcile.consents.reach_consents", lambda con: False)
    late = PlayedEstate.made(tmp_path / "late", SIZE)
    assert late.night("adopt").chosen(**over_links) == []
    assert len([row for row in late.night().new if row["entity"] == "consents"]) >= len(writable)
    for one in (played, late):
        one.close()


def test_no_customer_is_written_where_what_links_add_cannot_be_planned(
    lived: PlayedEstate, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(con: object) -> bool:
        raise MemoryError("too many links")

    monkeypatch.setattr("pipelines.reconcile.consents.reach_consents", broken)
    night = copy(lived).night()
    assert night.status == "partial" and opt_outs(night)
    assert night.chosen(entity="customers", disposition="approve") == []


def test_a_proven_opt_in_becomes_a_subscriber_only_where_policy_and_a_person_say_so(
    second: tuple[PlayedEstate, Night], copy: Copy
) -> None:
    asked = {"system": "mailchimp", "rule": "new subscriber"}
    played, before = copy(second[0]), second[1]
    assert before.chosen(**asked) == [], "no record is made unless the policy says so"
    path = played.world / "estate.toml"
    told = path.read_text(encoding="utf-8") + '\n[policy.create]\nsubscribers_in = ["mailchimp"]\n'
    path.write_text(told, encoding="utf-8")
    held = played.night()
    rows = held.chosen(**asked)
    assert rows and {row["disposition"] for row in rows} == {"hold"} and held.effects == []
    played.answer(rows[0], "approve")
    night = played.night()
    (made,) = night.chosen(correction_key=rows[0]["correction_key"])
    assert (made["outcome"], made["verification"]) == ("applied", "confirmed")
    list_id = rows[0]["vendor_sub_id"]
    assert [(e["kind"], e["after"]) for e in night.effects] == [("members", list_id), ("consents", "pending")]
    following = played.night()
    assert following.chosen(correction_key=rows[0]["correction_key"]) == []
    assert {row["entity"] for row in following.new} <= {"customers"}, "the new record lacks its name, and nothing else"
    with played.copy() as con:
        assert con.execute("SELECT count(*) FROM agreed.consents WHERE vendor_id LIKE 'new:%'").fetchone() == (0,)
