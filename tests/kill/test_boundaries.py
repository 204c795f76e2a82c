"""R4: kill -9 before and after every step of a night, and at every place that the pusher comes by."""

from collections.abc import Callable

import pytest

from tests.kill import judge
from tests.kill.child import INTENDED, INTENDS, NOTED, SENDS, SENT, STEPS, VERIFIED, At
from tests.kill.conftest import KILLED, WRONG
from tests.kill.shop import Shop

pytestmark = [pytest.mark.process, pytest.mark.night]

ROUND = STEPS[::2], STEPS[1::2]
"""Two steps a night, so that one copy of the retailer does for both."""
CHAINS = [
    *([At(step, name) for step in two for name in ("before", "after")] for two in zip(*ROUND, strict=True)),
    *([At("push", name, nth) for name in (INTENDS, INTENDED, SENDS, SENT, NOTED)] for nth in (1, 2)),
    # The opt-outs are a batch a system, all under way at once: none may be left once one of them has been sent.
    *([At("suppress", name) for name in names] for names in ((INTENDS, INTENDED, SENDS), (SENT,), (NOTED,))),
    [At("extract", SENDS, 20), At("suppress", VERIFIED), At("push", SENT, 6), At("verify", SENDS, 2),
     At("verify", VERIFIED)],
]
"""Deaths of one night, one run after the other."""
FEW = [At("push", SENT)]
"""In the ordinary suite."""


@pytest.mark.parametrize("deaths", [
    FEW, *(pytest.param(deaths, marks=pytest.mark.kill) for deaths in CHAINS),
], ids=lambda deaths: ", ".join(map(str, deaths)))
def test_what_is_killed_is_finished_by_the_next_run(
    shop: Shop, deaths: list[At], record_property: Callable[[str, object], None]
) -> None:
    since = judge.last_line(shop)
    for at in deaths:
        run = shop.begin(dies=at)
        assert run.ended() == -9, f"it did not come by {at}: {run.said}"
        record_property(KILLED, at.step)
    violations = judge.finished(shop, since)
    record_property(WRONG, len(violations))
    assert not violations, judge.told(violations, shop)
