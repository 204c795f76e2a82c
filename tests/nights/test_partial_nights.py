"""A system that is down, or refuses its credential: the others go on, nothing is guessed, the next night catches up."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

import resources.steps
from pipelines.night import has_adopted
from resources.tonight import Tonight
from sandbox.world.truth import Row
from tests.nights.conftest import MANY_OPT_OUTS, SIZE
from tests.nights.harness import SYSTEMS, Night, PlayedEstate, told

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
_GOLDEN = (
    "SELECT authority FROM golden.prices UNION ALL SELECT authority FROM golden.stock UNION ALL "
    "SELECT unnest([first_name_authority, last_name_authority, phone_authority, street_authority, city_authority, "
    "postcode_authority]) FROM golden.customers"
)


@pytest.mark.parametrize("away", SYSTEMS)
def test_one_system_away_makes_no_false_correction_and_is_caught_up(
    lived: PlayedEstate, copy: Copy, away: str
) -> None:
    played = copy(lived)
    check(played, played.night(down=[away]), away)
    played.day(MANY_OPT_OUTS)
    check(played, played.night(refuses=[away]), away)
    healthy = played.night()
    assert healthy.status == "complete"
    verdict = played.judge()
    assert verdict.is_passed, told(verdict)
    assert away in healthy.written


def check(played: PlayedEstate, night: Night, away: str) -> None:
    """One night without a system."""
    assert night.status == "partial"
    assert away not in night.written
    assert night.chosen(system=away, disposition="approve", entity="prices") == []
    with played.copy() as con:
        unread = {row[0] for row in con.execute("SELECT system FROM reads.verdicts WHERE NOT is_complete").fetchall()}
        assert unread == {away}
        authorities = {row[0] for row in con.execute(_GOLDEN).fetchall()}
    assert away not in authorities, "nothing is golden on the word of a system that was not heard"
    verdict = played.judge(down=[away])
    assert verdict.is_passed, told(verdict)
    assert verdict.raised == 0
    customers = {row["disposition"] for row in night.rows if row["entity"] == "customers"}
    assert "approve" not in customers, "its opt-outs were not heard, so no customer is written anywhere"
    expected = heard_opt_outs(played, away)
    assert expected, "the world plants opt-outs that the others must hear of"
    sent = {(r["system"], r["vendor_id"]) for r in night.chosen(entity="consents", verification="confirmed")}
    now = {
        (system, key_) for system, held in played.scene().look().customers.items()
        for key_, customer in held.items() if customer.consent.state == "no"
    }
    assert {(row.system, row.vendor_id) for row in expected} <= sent | now


def heard_opt_outs(played: PlayedEstate, away: str) -> list[Row]:
    """Opt-outs that a system which was up has to be told of, said by another that was up."""
    state = played.scene().look()
    refusing = {
        customer.email.strip().lower() for system, held in state.customers.items() if system != away
        for customer in held.values() if customer.consent.state == "no"
    }
    return [
        row for row in played.truth()
        if row.drift_class == "lower" and row.disposition == "must_push" and not row.is_apart and row.system != away
        and state.customers[row.system][row.vendor_id].email.strip().lower() in refusing
    ]


def test_a_system_that_turns_us_away_when_it_is_written_makes_the_night_partial(
    lived: PlayedEstate, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revoked(night: Tonight, say: logging.Logger) -> None:
        night.place.sessions_by_name["shopify"][1]._client.headers["x-shopify-access-token"] = "revoked"
        real(night, say)

    real = resources.steps.STEPS[2]
    steps = tuple(revoked if step is real else step for step in resources.steps.STEPS)
    monkeypatch.setattr(resources.steps, "STEPS", steps)
    played = copy(lived)
    night = played.night()
    assert night.status == "partial"
    assert "shopify" not in night.written and "hubspot" in night.written
    assert night.chosen(system="shopify", outcome="skipped")
    summary = played.summary()
    assert summary.is_partial and "CredentialError" in summary.stopped["shopify"]
    monkeypatch.undo()
    assert played.night().status == "complete"
    assert played.judge().is_passed


def test_a_dry_run_tells_what_it_could_not_read_and_uses_nothing_up(lived: PlayedEstate, copy: Copy) -> None:
    played = copy(lived)
    dry = played.night("sync_now", dry_run=True, down=["hubspot"])
    assert (dry.status, dry.effects) == ("planned", [])
    assert played.summary().is_partial
    again = played.night("sync_now", dry_run=True)
    night = played.night()
    assert len(night.new) == len(again.new) > 0, "what a dry run planned is still new"


def test_a_first_night_that_did_not_read_every_system_is_no_first_night(tmp_path: Path) -> None:
    played = PlayedEstate.made(tmp_path / "half", SIZE)
    played.night("adopt", down=["shopify"])
    with played.copy() as con:
        assert not has_adopted(con)
    played.night("adopt")
    with played.copy() as con:
        assert has_adopted(con)
    assert played.night().new == []
    played.close()
