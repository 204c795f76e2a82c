"""A night on vendors that lag: searches show a change a minute late, and bulk jobs take twenty seconds."""

from collections.abc import Callable

import pytest

from tests.nights.harness import PlayedEstate, told

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]


def test_a_night_on_slow_vendors_is_as_the_truth_has_it_and_the_next_plans_nothing_new(
    lived: PlayedEstate, copy: Copy
) -> None:
    played = copy(lived)
    played.slowness = {"search_lag_seconds": 60.0, "bulk_seconds": 20.0}
    began = played.store.now()
    night = played.night()
    assert (played.store.now() - began).total_seconds() > 20, "the bulk jobs were waited for"
    assert night.status == "complete" and night.effects
    verdict = played.judge()
    assert verdict.is_passed, told(verdict)
    again = played.night()
    assert again.status == "complete" and again.new == [] and again.effects == []
