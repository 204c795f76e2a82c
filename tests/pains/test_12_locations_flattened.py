"""Several locations flattened to one.

frappe/erpnext_shopify#94, #107; fahadmahmood8/stock-locations-for-woocommerce#38; magento/inventory#3232;
milady-ai/milady PR#1841.
"""

from tests.reconcile.shop import insert, rows


def test_what_is_counted_in_one_place_is_sold_in_that_place(shop):
    insert(shop.con, "estate.locations", {"system": "square", "vendor_location_id": "LL", "location_id": "lyon"},
           {"system": "shopify", "vendor_location_id": "WL", "location_id": "lyon"})
    insert(shop.con, "estate.stock_rules", {"location_id": "lyon", "authority": "square", "safety_stock": 0})
    shop.level(1, on_hand=10, available=9)
    tracked = {"is_tracked": True}
    insert(shop.con, "square.stock", {"vendor_id": "V1", "vendor_location_id": "LL", "on_hand": 4, **tracked})
    insert(shop.con, "shopify.stock", {"vendor_id": "S1", "vendor_location_id": "WL", "available": 7, **tracked})
    shop.move("shopify", 1, -3, kind="order", state="open")
    found = [(row["vendor_sub_id"], row["observed"], row["desired"]) for row in shop.night()]
    assert found == [("WL", "7", "4"), ("WP", "9", "6")]
    left = rows(shop.con, "SELECT location_id, on_hand, committed FROM golden.stock ORDER BY ALL")
    assert left == [
        {"location_id": "lyon", "on_hand": 4, "committed": 0}, {"location_id": "paris", "on_hand": 10, "committed": 3},
    ]
