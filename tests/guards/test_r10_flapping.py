"""R10: who writes back what trueup writes is asked, not fought; a flapping value stops after at most three writes."""

from datetime import timedelta

import pytest

from tests.guards.shop import GuardedShop


@pytest.mark.parametrize("put_back", [
    pytest.param(lambda night: "1000", id="always the same"),
    pytest.param(lambda night: str(1000 + night), id="another price each day"),
    pytest.param(lambda night: "1000" if night % 2 else "1010", id="two people in turn"),
])
def test_a_price_that_is_put_back_each_day_is_parked_before_the_third_write(put_back):
    shop = GuardedShop()
    shop.golden, rows = {"v1": "1100", "v2": "1100"}, []
    shop.put({"v1": "1000", "v2": "1000"})
    for night in range(7):
        rows = shop.night()
        shop.put({"v1": put_back(night)})
    assert (shop.writes("v1"), shop.writes("v2")) == (2, 1), "nobody else's value is stopped"
    (row,) = rows
    assert (row["disposition"], row["is_releasable"]) == ("hold", True)
    words = "It flaps (R10): trueup wrote it on 2026-03-03, 2026-03-04, and each time it was written over"
    assert row["disposition_reason"].startswith(words)


def test_a_system_that_makes_something_else_of_what_it_is_sent_is_written_twice(shop_that_rounds):
    shop = shop_that_rounds
    for _ in range(4):
        shop.night(drift_class="elsewhere")
    assert shop.writes("v1") == 2


@pytest.fixture
def shop_that_rounds():
    shop = GuardedShop(distort=lambda value: None if value is None else value[:-1] + "0")
    shop.golden = {"v1": "1105"}
    shop.put({"v1": "1000"})
    return shop


def test_an_approval_lets_one_more_write_go():
    shop = GuardedShop()
    shop.golden = {"v1": "1100"}
    for night in range(7):
        shop.put({"v1": "1000"})
        (row,) = shop.night()
        if night == 4:
            shop.clock.at += timedelta(hours=1)
            shop.approve(row)
            shop.push("n5-main")
            assert shop.writes("v1") == 3, "it counts for the plan that held it"
    assert shop.writes("v1") == 3, "and is spent, though it lives for seven days"
    assert row["disposition"] == "hold" and not row["is_releasable"]


def test_another_value_of_the_truth_is_no_dance():
    shop = GuardedShop()
    for price in ("1100", "1000", "1100", "1000", "1100"):
        shop.golden = {"v1": price}
        if not shop.number:
            shop.put({"v1": "1000"})
        shop.night(drift_class="elsewhere")
    assert shop.writes("v1") == 5


def test_a_no_is_said_again_each_night_however_often_it_is_undone():
    shop = GuardedShop()
    shop.golden = {"member1": "no"}
    for _ in range(7):
        shop.put({"member1": "yes"})
        shop.night(lane="suppression", drift_class="lower")
    assert shop.writes("member1") == 7
