"""A night undone, over real nights: judged by the systems' own log of what was written, never by our tables."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cli.questions import status
from cli.rollback import rolled_back
from pipelines.errors import ConfigurationError, DataError
from pipelines.kill_switch import Stop, go, stop
from sandbox.records import Price, Stock
from tests.nights.effects import value_of
from tests.nights.harness import Night, PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
Place = tuple[str, str, str, str]
ASKED = {"reason": "the wrong list", "author": "Ana"}


def log_of(effects: list[dict[str, Any]]) -> dict[Place, tuple[Any, Any]]:
    """What each place held before the first of these writes and after the last, in the systems' own words.

    Of a phone its digits: it is written as E.164, however it was typed before.
    """
    found: dict[Place, tuple[Any, Any]] = {}
    for effect in effects:
        place = effect["vendor"], effect["kind"], effect["key"], effect["field"]
        held = [effect["before"], effect["after"]]
        if effect["field"].lower() == "phone":
            held = ["".join(filter(str.isdigit, text)) for text in held]
        found[place] = (found.get(place, held)[0], held[1])
    return found


def main_log(night: Night) -> dict[Place, tuple[Any, Any]]:
    """Of all but permissions."""
    return {p: v for p, v in log_of(night.effects).items() if v and not is_permission(night, p)}


def is_permission(night: Night, place: Place) -> bool:
    effect = next(e for e in night.effects if (e["vendor"], e["kind"], e["key"], e["field"]) == place)
    return value_of(effect)[1] == "consents"


def order(played: PlayedEstate, plan_id: str, **narrowed: Any) -> dict[str, Any]:
    return rolled_back(played.settings, plan_id, **ASKED, **narrowed, yes=True)


def value(row: dict[str, Any]) -> tuple[str, str, str, str, str]:
    return row["system"], row["entity"], row["field"], row["vendor_id"], row["vendor_sub_id"]


def edited_by_hand(played: PlayedEstate, night: Night) -> list[dict[str, Any]]:
    """People in the shops change some of what the night wrote: a price, a level, a name. Which rows these are."""
    wrote = [row for row in night.rows if row["verification"] == "confirmed"]
    at = played.store.now()
    price = next(r for r in wrote if (r["system"], r["field"]) == ("hubspot", "amount"))
    new = Price(price["vendor_id"], price["vendor_sub_id"], price["currency"], int(price["desired"]) + 77)
    played.vendors["hubspot"].put_prices(played.store, [new], at, log=True)
    level = next(r for r in wrote if (r["system"], r["entity"]) == ("shopify", "stock"))
    left = Stock(level["vendor_id"], level["vendor_sub_id"], int(level["desired"]) + 3)
    played.vendors["shopify"].put_stock(played.store, [left], at, log=True)
    name = next(r for r in wrote if (r["system"], r["field"]) == ("mailchimp", "last_name"))
    there = {one.key: one for one in played.vendors["mailchimp"].observe_customers(played.store)}
    renamed = replace(there[name["vendor_id"]], last_name=name["desired"].upper() + " D")
    played.vendors["mailchimp"].put_customers(played.store, [renamed], at, log=True)
    return [price, level, name]


def test_exactly_what_nobody_has_touched_since_is_back_and_a_second_time_changes_nothing(
    second: tuple[PlayedEstate, Night], copy: Copy
) -> None:
    played, before = copy(second[0]), second[1]
    wrote = main_log(before)
    plan_id = f"{before.night_id}-main"
    edited = edited_by_hand(played, before)
    touched = {value(row) for row in edited}
    untouched = {
        value(row) for row in before.rows
        if row["entity"] != "consents" and row["verification"] == "confirmed" and value(row) not in touched
    }
    shown = rolled_back(played.settings, before.night_id, **ASKED, yes=False)
    assert shown["plan_id"] == plan_id and not shown["is_dropped"], "shown, and no more"
    assert not list(played.settings.inbox.glob("*.json"))

    order(played, plan_id)
    back = played.night("sync_now", rollback_of=plan_id)
    assert back.status == "complete"
    undone = log_of(back.effects)
    assert {value_of(effect) for effect in back.effects} == untouched, "these, and no others"
    assert {place: values[::-1] for place, values in undone.items()} == {p: v for p, v in wrote.items() if p in undone}
    assert len(undone) > 30 and len(wrote) - len(undone) >= len(touched)
    assert {row["rule"] for row in back.rows if row["outcome"]} == {"rollback"}, "a run that does nothing else"
    left = {value(row): row["state"] for row in status(played.settings)["not_rolled_back"]}
    assert left == dict.fromkeys(touched, "changed")

    again = played.night("sync_now", rollback_of=plan_id)
    assert again.effects == [] and again.new == []
    order(played, plan_id)
    assert played.night("sync_now", rollback_of=plan_id).effects == []

    following = played.night()
    assert following.effects == [], "what was undone is not done again"
    assert {value(row) for row in following.new} <= touched
    kept = [row for row in following.rows if "rolled back: the wrong list" in row["disposition_reason"]]
    assert {row["disposition"] for row in kept} == {"reject"} and {value(row) for row in kept} == untouched


def test_a_rollback_is_rolled_back_like_any_plan_and_nights_agree_again(
    second: tuple[PlayedEstate, Night], copy: Copy
) -> None:
    played, before = copy(second[0]), second[1]
    wrote = main_log(before)
    order(played, f"{before.night_id}-main")
    back = played.night()
    assert log_of(back.effects) == {place: values[::-1] for place, values in wrote.items()}
    quiet = played.night()
    assert quiet.effects == [] and quiet.new == [], "the till's counts are as before, and so is what was sold elsewhere"

    order(played, f"{back.night_id}-main")
    forth = played.night()
    assert log_of(forth.effects) == wrote, "as the first night left it"
    last = played.night()
    assert last.effects == [] and last.new == []
    assert not [row for row in last.rows if "rolled back" in row["disposition_reason"]]


def test_an_order_is_narrowed_and_what_it_does_not_name_stays(
    second: tuple[PlayedEstate, Night], copy: Copy
) -> None:
    played, before = copy(second[0]), second[1]
    plan_id = f"{before.night_id}-main"
    one = next(r for r in before.rows if (r["system"], r["field"], r["outcome"]) == ("shopify", "amount", "applied"))
    order(played, plan_id, systems=["shopify"], fields=["amount"], keys=[one["vendor_id"]])
    assert {value_of(e) for e in played.night("sync_now", rollback_of=plan_id).effects} == {value(one)}
    with pytest.raises(DataError, match="wrote nothing that the order names"):
        order(played, plan_id, keys=["no such SKU"])
    with pytest.raises(DataError, match="no plan and no night goes by this"):
        order(played, "2020-01-01.1")
    with pytest.raises(ConfigurationError, match="nobody has ordered plan"):
        played.night("sync_now", rollback_of="2020-01-01.1-main")


def test_no_opt_out_is_ever_taken_back(second: tuple[PlayedEstate, Night], copy: Copy) -> None:
    played, before = copy(second[0]), second[1]
    plan_id = f"{before.night_id}-suppression"
    lowered = {value(r) for r in before.rows if r["entity"] == "consents" and r["outcome"] == "applied"}
    found = order(played, plan_id)
    assert found["restored"] == [] and {value(row) for row in found["kept"]} == lowered
    assert {row["rule"] for row in found["kept"]} == {"permission"}
    assert played.night().effects == []
    assert {r["state"] for r in status(played.settings)["not_rolled_back"]} == {"kept"}


def test_stopped_nothing_is_written_in_any_lane_and_afterwards_all_of_it(
    lived: PlayedEstate, second: tuple[PlayedEstate, Night], copy: Copy
) -> None:
    played = copy(lived)
    stop(played.settings.kill_switch, Stop("Ana", "the shop shows wrong prices", played.store.now()))
    halted = played.night()
    assert halted.effects == [] and halted.status == "partial"
    codes = {row["outcome"] for row in halted.rows if row["disposition"] == "approve"}
    assert codes == {"skipped"}, "opt-outs too"
    assert "the kill switch is on" in " ".join(played.summary().stopped.values())
    assert status(played.settings)["stopped"]["reason"] == "the shop shows wrong prices"
    go(played.settings.kill_switch)
    written = played.night()
    assert main_log(written) == main_log(second[1]), "as if it had never been stopped"
    assert {value_of(e) for e in written.effects} == {value_of(e) for e in second[1].effects}

    plan_id = f"{written.night_id}-main"
    order(played, plan_id)
    played.settings.kill_switch.touch()
    assert played.night("sync_now", rollback_of=plan_id).effects == [], "a rollback is stopped like all else"
    assert status(played.settings)["stopped"] == {"by": "", "at": None, "reason": ""}
    go(played.settings.kill_switch)
    assert log_of(played.night("sync_now", rollback_of=plan_id).effects) == {
        place: values[::-1] for place, values in main_log(written).items()
    }
