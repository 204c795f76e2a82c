"""A plan that was made before: pushed with its night's opt-outs first, after which its dry run is none any more."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from cli.questions import status
from pipelines import extract
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


def test_how_short_a_read_how_old_a_plan_and_what_goes_first_are_the_policys_figures(
    lived: PlayedEstate, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    played, seen = copy(lived), []
    path = played.world / "estate.toml"
    figures = "[policy.push]\nplan_minutes = 7\ncanary_rows = 3\n[policy.reads]\nmin_share_pct = 75.0\n"
    path.write_text(f"{path.read_text()}\n{figures}")
    pushed = steps.push_plan
    monkeypatch.setattr(steps, "push_plan", lambda *a, **how: seen.append(how["canary_rows"]) or pushed(*a, **how))
    read = extract.extract_all
    shares: list[float] = []
    monkeypatch.setattr(extract, "extract_all", lambda *a, **how: shares.append(how["min_share"]) or read(*a, **how))
    night = played.night()
    assert (set(seen), shares) == ({3}, [0.75])
    with played.copy() as con:
        ages = con.execute(
            "SELECT DISTINCT p.expires_at - p.as_of, g.valid_until - g.approved_at FROM sync.plans AS p "
            "JOIN sync.approvals AS g ON g.plan_id = p.plan_id WHERE p.plan_id = ? AND g.approver = 'policy'",
            [f"{night.night_id}-main"],
        ).fetchall()
    assert ages == [(timedelta(minutes=7), timedelta(minutes=7))]


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
