"""Without an arming nothing is written, whoever launches what; an arming lets go what it names, until its day."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from cli.questions import status
from pipelines import extract
from resources import steps
from resources.tonight import Tonight
from tests import arming
from tests.nights.harness import Night, PlayedEstate
from tests.nights.test_stored_plans import status_of, take_up

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
LOG = logging.getLogger("arming")


def unarmed(played: PlayedEstate) -> PlayedEstate:
    """From here on nobody arms, and what had been armed is taken back."""
    played.is_armed = False
    for word in played.settings.inbox.glob("*.json"):
        word.unlink()
    return played


def unarmed_night(played: PlayedEstate, **asked: object) -> Night:
    played.is_armed = False
    return played.night(**asked)  # type: ignore[arg-type]


def changed(played: PlayedEstate) -> None:
    """A policy that nobody has armed."""
    path = played.settings.estate
    path.write_text(path.read_text(encoding="utf-8").replace("hold_hours = ", "hold_hours = 1", 1), encoding="utf-8")


@pytest.fixture
def ready(lived: PlayedEstate, copy: Copy) -> PlayedEstate:
    """A day of drift, and nothing that is armed: policy and estate are others than those that had been."""
    played = unarmed(copy(lived))
    changed(played)
    return played


def test_an_unarmed_night_stops_after_its_plan(ready: PlayedEstate) -> None:
    night = ready.night()
    assert (night.status, night.effects) == ("unarmed", [])
    assert len(night.chosen(disposition="approve")) > 20, "there was much to write"
    assert {row["outcome"] for row in night.rows} == {None}
    assert any("not armed" in words and "policy or estate have changed" in words for words in night.words)
    told = ready.summary()
    assert told.unarmed["rows"] == len(night.chosen(disposition="approve"))
    assert "trueup arm" in told.unarmed["reason"]
    assert not any(each["state"] == "counts" for each in status(ready.settings)["armings"])


def test_no_run_on_a_stored_plan_writes_while_nothing_is_armed(ready: PlayedEstate) -> None:
    night = ready.night()
    assert take_up(ready) == [], "approve, push and verify"
    assert take_up(ready, f"{night.night_id}-suppression") == []
    assert ready.night("sync_now", systems=["shopify"]).effects == []
    assert ready.night("adopt").effects == []


def test_what_an_unarmed_night_has_planned_is_pushed_once_it_is_armed(ready: PlayedEstate) -> None:
    night = ready.night()
    arming.arm(ready.settings, ready.store.now())
    prices = {row["vendor_id"] for row in night.chosen(disposition="approve", entity="prices")}
    assert len(take_up(ready)) >= len(prices) > 0
    assert status_of(ready, night) == "complete"
    assert unarmed_night(ready).effects == [], "all is done"


def test_an_arming_that_has_ended_arms_nothing(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now(), days=1)
    ready.store.go_on(ready.store.now() + timedelta(days=1, minutes=1))
    night = ready.night()
    assert (night.status, night.effects) == ("unarmed", [])
    assert any("it ended on" in words for words in night.words)


def test_an_arming_of_another_policy_arms_nothing(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now())
    changed(ready)
    night = ready.night()
    assert (night.status, night.effects) == ("unarmed", [])


def test_a_plan_is_not_pushed_under_the_arming_of_a_policy_that_came_after_it(ready: PlayedEstate) -> None:
    ready.night()
    changed(ready)
    arming.arm(ready.settings, ready.store.now())
    assert take_up(ready) == []


def test_only_the_system_that_is_armed_is_written(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now(), "systems=shopify")
    night = ready.night()
    assert night.written == {"shopify"}
    assert night.status == "complete"
    left = [row for row in night.chosen(disposition="approve") if row["system"] != "shopify"]
    assert left and {row["outcome"] for row in left} == {None}


def test_only_the_fields_that_are_armed_are_written(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now(), "fields=prices.amount", "lanes=main")
    night = ready.night()
    done = [row for row in night.rows if row["outcome"] == "applied"]
    assert {(row["entity"], row["field"]) for row in done} == {("prices", "amount")}


def test_opt_outs_alone_may_be_armed_and_go_out(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now(), "lanes=suppression", days=365)
    night = ready.night()
    assert night.status == "unarmed", "the main lane is not"
    assert {row["lane"] for row in night.rows if row["outcome"] == "applied"} == {"suppression"}
    assert night.effects


def test_where_opt_outs_are_not_armed_no_customer_is_written(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now(), "lanes=main")
    night = ready.night()
    told = {row["system"] for row in night.chosen(lane="suppression", disposition="approve")}
    assert told, "there were opt-outs"
    done = [row for row in night.rows if row["outcome"] == "applied"]
    assert done
    assert not any(row["entity"] == "customers" and row["system"] in told for row in done)


def test_more_rows_than_the_arming_allows_are_none(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now(), "all", "max_rows=5")
    night = ready.night()
    assert {row["lane"] for row in night.rows if row["outcome"] == "applied"} == {"suppression"}


def test_a_run_narrows_what_is_armed_and_never_widens_it(ready: PlayedEstate) -> None:
    arming.arm(ready.settings, ready.store.now(), "systems=shopify,hubspot", "lanes=main")
    night = ready.night("sync_now", systems=["hubspot", "square"], entities=["prices"])
    assert night.written == {"hubspot"}
    assert {row["entity"] for row in night.rows if row["outcome"] == "applied"} == {"prices"}


def test_a_run_on_a_stored_plan_is_narrowed_too(ready: PlayedEstate) -> None:
    ready.night()
    arming.arm(ready.settings, ready.store.now(), "lanes=main")
    seen = max((effect["seq"] for effect in ready.store.effects()), default=0)
    with ready.open() as place:
        night = Tonight(place, "sync_now", systems=["hubspot"])
        for step in (steps.approve, steps.push, steps.verify):
            step(night, LOG)
    assert {effect["vendor"] for effect in ready.effects(seen)} == {"hubspot"}


def test_an_arming_that_is_taken_back_arms_nothing(ready: PlayedEstate) -> None:
    from pipelines.arming.armings import Disarming
    from pipelines.ledger.inbox import drop

    path = arming.arm(ready.settings, ready.store.now())
    drop(ready.settings.inbox, Disarming(
        arming_ids=(path.stem,), author="Ana", reason="not now", at=ready.store.now(),
    ), arming.signer())
    night = ready.night()
    assert (night.status, night.effects) == ("unarmed", [])
    assert any("taken back" in words for words in night.words)


def test_what_a_run_is_asked_to_believe_widens_nothing(
    lived: PlayedEstate, copy: Copy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`accept_short` is run configuration: it counts for the endpoints that a signed arming names."""
    played, believed = copy(lived), []
    monkeypatch.setattr(extract, "extract_all", lambda *a, **how: believed.append(how["accept_short"]) or [])
    for words in ((), ("lanes=suppression", "short=square.orders")):
        with played.open() as place:
            if words:
                arming.arm(played.settings, place.clock.now(), *words)
            steps.extract(Tonight(place, "nightly", accept_short=["square.orders", "shopify.orders"]), LOG)
    assert believed == [frozenset(), {"square.orders"}]
    told = [record.getMessage() for record in caplog.records if "accept_short" in record.getMessage()]
    assert [words.split()[1] for words in told] == ["shopify.orders:", "square.orders:", "shopify.orders:"]
    assert all("trueup arm" in words and "--scope short=" in words for words in told)
