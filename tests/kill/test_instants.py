"""R4: kill -9 at random instants, also in the run that finishes what another left; half of them aimed at a push.

KILLS= sets how many (`make kill KILLS=40`). A chain of deaths is one night, tried again and again, then finished, then
quiet. Its number is its seed: it draws the step and how late in it; where that falls is up to the machine.
"""

import os
import random
from collections.abc import Callable

import pytest

from tests.kill import judge
from tests.kill.conftest import KILLED, WRONG
from tests.kill.shop import Running, Shop

pytestmark = [pytest.mark.kill, pytest.mark.process, pytest.mark.night]

CHAIN = 5
"""Deaths before a night is left to end."""
CHAINS = -(-int(os.environ.get("KILLS") or 200) // CHAIN)
AIMED_AT_PUSH = 0.65
"""Share of the deaths that are aimed at the push of what was planned; the others fall by how long a step takes."""
EARLY = 0.4
"""How far into a push they are aimed: the later, the less is left to push for the next death of the chain."""
SECONDS = {
    "opening": 1.4, "extract": 3.0, "stage": 1.5, "consents": 0.2, "suppress": 1.2, "items": 0.2, "persons": 0.8,
    "reach": 0.1, "trees": 0.8, "drift": 2.0, "check": 0.3, "plan": 0.6, "approve": 0.2, "push": 0.9, "verify": 1.3,
}
"""How long each step of this night took on some machine: only how they stand to each other matters."""
MOST_RUNS = 4 * CHAIN


@pytest.mark.parametrize("seed", range(1, CHAINS + 1))
def test_whenever_it_is_killed_the_next_run_finishes_it(
    shops: Callable[[], Shop], seed: int, record_property: Callable[[str, object], None]
) -> None:
    dice, deaths = random.Random(f"kill {seed}"), 0
    shop = shops()
    since = judge.last_line(shop)
    while deaths < CHAIN:
        assert len(shop.runs) < MOST_RUNS, "most runs live on: the drawn instants are too late"
        is_pushing = dice.random() < AIMED_AT_PUSH
        # What was planned before the death may be pushed by itself (`trueup push`), without another night.
        run = shop.begin(is_stored=is_pushing and has_planned(shop) and dice.random() < 0.7)
        if died(run, dice, is_pushing=is_pushing):
            deaths += 1
            record_property(KILLED, run.step)
            continue
        violations = judge.finished(shop, since)  # it was faster: that night is over
        record_property(WRONG, len(violations))
        assert not violations, judge.told(violations, shop)
        shop = shops()
        since = judge.last_line(shop)
    violations = judge.finished(shop, since)
    record_property(WRONG, len(violations))
    assert not violations, judge.told(violations, shop)


def has_planned(shop: Shop) -> bool:
    """Whether a run of this night came as far as its plan."""
    return any(place[1:] == ("plan", "after") for run in shop.runs for place in run.places)


def died(run: Running, dice: random.Random, *, is_pushing: bool) -> bool:
    """Kill it at an instant that the dice draw; False where it ended before."""
    step = "push" if is_pushing else dice.choices([*SECONDS], [*SECONDS.values()])[0]
    share = dice.random() * (EARLY if is_pushing else 1.0)
    if not run.reached(step, "begins" if step == "opening" else "before"):
        return run.kill()
    places = run.places
    names = ["opening", *dict.fromkeys(name for _, name, _ in places if name in SECONDS and name != step)]
    usual = sum(SECONDS[name] for name in dict.fromkeys(names))
    pace = (places[-1][0] - places[0][0]) / usual if step != "opening" else 1.0  # how much slower this machine is today
    return run.lived(share * SECONDS[step] * pace) and run.kill()
