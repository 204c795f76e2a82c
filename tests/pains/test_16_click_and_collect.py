"""Click & collect promised on stock that is not there.

magento/inventory#2032 (a pick-up and a parcel race for one unit), #2676, #2785; magento/magento2#37992;
saleor/saleor-docs PR#471.
"""

from datetime import timedelta

import pytest

from pipelines.tables import fill_table
from tests.reconcile.shop import Shop, told
from tests.reconcile.test_holds import WEB, at_the_till, events, order, terms, written


@pytest.fixture
def counter(shop) -> Shop:
    """Ten units on the till's shelf, of which the webshop may sell nine."""
    shop.level(1, on_hand=10, available=9)
    assert shop.night() == []
    shop.agree()
    return shop


def test_what_waits_behind_the_counter_is_not_offered_again(counter):
    at_the_till(counter, "placed")
    assert told(counter.night()) == [("shopify", "available", "S1", "9", "7", "explained")]
    written(counter, 7)
    assert counter.night() == []


def test_a_hold_that_two_systems_show_is_held_once(counter):
    order(counter, "open")
    at_the_till(counter, "placed", reference=WEB)
    counter.level(1, available=7)
    assert counter.night() == []
    assert terms(counter) == (10, 0, 2, 7)


def test_a_hold_that_has_expired_is_for_sale_again_once(counter):
    at_the_till(counter, "placed", expires_at=counter.as_of(2) - timedelta(minutes=1))
    counter.night()
    written(counter, 7)
    assert told(counter.night()) == [("shopify", "available", "S1", "7", "9", "explained")]
    written(counter, 9)
    assert counter.night() == [], "seen to have expired a second time, it gives nothing back"
    assert events(counter) == [("placed", "n1"), ("expired", "n2")]


def test_an_order_that_expired_and_is_then_cancelled_gives_its_units_back_once(counter):
    fill_table(counter.con, "estate.hold_limits", [("paris", 24)])
    order(counter, "open")
    counter.level(1, available=7)
    assert counter.night() == []
    counter.agree()
    assert told(counter.night()) == [("shopify", "available", "S1", "7", "9", "explained")]
    written(counter, 9)
    order(counter, "cancelled")
    counter.move("shopify", 1, 2, kind="cancel", state="cancelled", key="refund-1")
    counter.level(1, available=11)
    assert told(counter.night()) == [("shopify", "available", "S1", "11", "9", "explained")]
