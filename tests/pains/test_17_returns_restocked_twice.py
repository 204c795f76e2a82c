"""Cancel, refund, return: not restocked, or twice.

frappe/ecommerce_integrations#225; openlinker ADR-028; woocommerce/woocommerce#12220; wcpos/woocommerce-pos PR#1374.
"""

from tests.reconcile.shop import rows, told


def offered(shop) -> int:
    """What the webshop is to sell."""
    shop.night()
    return rows(shop.con, "SELECT available FROM golden.stock")[0]["available"]


def test_a_cancelled_order_comes_back_once(shop):
    shop.level(1, on_hand=10, available=9)
    assert offered(shop) == 9
    shop.agree()
    shop.move("shopify", 1, -2, kind="order", state="open", key="web")
    assert offered(shop) == 7
    shop.move("shopify", 1, -2, kind="order", state="cancelled", key="web")
    assert offered(shop) == 9
    assert offered(shop) == 9, "told of again, it comes back no further"


def test_a_return_told_of_on_two_nights_is_one(shop):
    shop.level(1, on_hand=10, available=9)
    shop.night()
    shop.agree()
    shop.move("square", 1, 1, kind="return", key="back")
    shop.level(1, on_hand=11)
    expected = [("shopify", "available", "S1", "9", "10", "explained")]
    assert told(shop.night()) == expected
    assert told(shop.night()) == expected, "read again, it accounts for one unit, not two"
    assert rows(shop.con, "SELECT count(*) AS n FROM ledger.identity.movements") == [{"n": 1}]
