"""Bundles and kits: a derived level is written, or blocks the rest.

microsoft/BCApps#8396 (one bundle blocks hundreds of items); libracore/WooCommerceConnector#69.
"""

from tests.reconcile.shop import told


def test_a_kits_level_is_written_nowhere_and_stops_no_other(shop):
    shop.item(3, is_kit=None)
    shop.con.execute("UPDATE square.items SET is_kit = true WHERE vendor_id = 'V3'")
    shop.level(3, on_hand=10, available=2)
    shop.level(1, on_hand=10, available=2)
    assert told(shop.night()) == [("shopify", "available", "S1", "2", "9", "never_agreed")]
