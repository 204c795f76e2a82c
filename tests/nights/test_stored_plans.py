"""A plan that was made before: pushed with its night's opt-outs first, after which its dry run is none any more."""

import logging
from collections.abc import Callable

import pytest

from cli.questions import status
from pipelines.errors import ConfigurationError
from resources import steps
from resources.tonight import Tonight
from tests.nights.harness import Night, PlayedEstate
from tests.nights.test_opt_outs import is_opt_out

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]
LOG = logging.getLogger("a stored plan")


def take_up(played: PlayedEstate, plan_id: str = "") -> list[dict]:
    """Approve, push and verify a stored plan; what that changed in the systems."""
    seen = max((effect["seq"] for effect in played.store.effects()), default=0)
    with played.open() as place:
        night = Tonight(place, "sync_now", plan_id=plan_id)
        for step in (steps.approve, steps.push, steps.verify):
            step(night, LOG)
    return played.effects(seen)


def status_of(played: PlayedEstate, night: Night) -> str:
    with played.copy() as con:
        (found,) = con.execute("SELECT status FROM sync.nights WHERE night_id = ?", [night.night_id]).fetchone()
    return found


def test_a_dry_runs_plan_goes_out_whole_with_its_opt_outs_first(lived: PlayedEstate, copy: Copy) -> None:
    played = copy(lived)
    dry = played.night("sync_now", dry_run=True)
    assert dry.effects == [] and status_of(played, dry) == "planned"
    effects = take_up(played, f"{dry.night_id}-main")
    lowered = [place for place, effect in enumerate(effects) if is_opt_out(effect)]
    assert lowered and lowered == list(range(len(lowered))), "opt-outs before anything else"
    assert len(effects) > len(lowered)
    assert status_of(played, dry) == "complete", "what was written is a night"
    following = played.night()
    assert following.new == [] and following.effects == []


def test_a_dry_runs_plan_is_not_taken_up_unnamed(adopted: PlayedEstate, copy: Copy) -> None:
    played = copy(adopted)
    played.day()
    dry = played.night("sync_now", dry_run=True)
    assert take_up(played) == [], "the first night's plan has nothing left to send"
    assert status_of(played, dry) == "planned"
    with pytest.raises(ConfigurationError, match="there is no plan"):
        take_up(played, "2020-01-01.1-main")


def test_what_waits_is_that_of_the_last_whole_night(second: tuple[PlayedEstate, Night], copy: Copy) -> None:
    played = copy(second[0])
    waiting = {row["correction_key"] for row in status(played.settings)["held"]}
    assert len(waiting) > 10
    played.night("sync_now", systems=["shopify"], entities=["prices"])
    played.night("sync_now", dry_run=True)
    assert {row["correction_key"] for row in status(played.settings)["held"]} == waiting
