"""Cent rounding.

plentymarkets/plentymarkets-shopware-connector#536; VivaPayments/API#625 (279.99 and 280.00, the sale lost);
woocommerce/woocommerce#23694.
"""

from tests.reconcile.shop import told


def test_a_net_price_that_is_the_gross_price_rounded_half_up_is_the_same_price(shop):
    shop.price("square", "V1", 27_999)
    shop.price("shopify", "S1", 27_999)
    shop.price("hubspot", "H1", 23_333)
    assert told(shop.night()) == [], "23332.5 cents without tax"


def test_a_cent_is_a_difference_unless_the_policy_says_how_much_is_none(shop):
    shop.price("shopify", "S1", 1201)
    shop.price("shopify", "S2", 1202)
    assert len(told(shop.night())) == 2
    shop.con.execute("UPDATE policy.targets SET tolerance = 1 WHERE system = 'shopify' AND field = 'amount'")
    assert [row[2] for row in told(shop.night())] == ["S2"]
