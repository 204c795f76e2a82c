"""Oversell: stock pushed gross of reservations, written over a sale that just happened, or simply late.

libracore/WooCommerceConnector#41 (80 pushed instead of 51); Starktail/woocommerce_fusion#170;
OCA/connector-magento#226; Shopify/shopify_python_api#728; microsoft/ALAppExtensions#27413;
Repair-DeskPOS/RepairDesk-BUGS-IMPROVEMENTS#400 (sold in the store on 13 December, sold again online on 4 January);
openlinker#1844, #2617; magento/inventory#3072.
"""

import pytest

from tests.reconcile.shop import rows, told
from tests.test_push import outcomes, plan, push, vendor_for


def test_what_is_promised_to_web_customers_is_not_offered_again(shop):
    shop.level(1, on_hand=80, available=80)
    shop.move("shopify", 1, -29, kind="order", state="open")
    kept_back = rows(shop.con, "SELECT safety_stock FROM estate.stock_rules")[0]["safety_stock"]
    assert told(shop.night()) == [("shopify", "available", "S1", "80", str(51 - kept_back), "never_agreed")]


@pytest.mark.parametrize("kind", [{"has_cas": True}, {"needs_check": True}], ids=["compare-and-set", "read before"])
async def test_a_level_is_not_written_over_a_sale_that_just_happened(world, clock, kind):
    night = plan(world, clock, *(_stock(key) for key in ("sold", "quiet")))
    vendor = vendor_for(world, night, clock, has_key=False, **kind)
    vendor.values["stock", "available", "sold", "WP"] = "6"
    await push(world, night, clock, vendor)
    assert outcomes(world)["sold"][0] == "stale" and outcomes(world)["quiet"][0] == "applied"
    assert vendor.values["stock", "available", "sold", "WP"] == "6", "what the sale left stands"


def _stock(key: str) -> dict:
    return {
        "system": "shopify", "vendor_id": key, "subject_id": key, "observed": "7", "base": "9", "has_base": True,
        "desired": "8", "drift_class": "explained", "authority": "square", "rule": "stock ledger", "reason": "a sale",
        "version": None, "context": "{}", "entity": "stock", "field": "available", "vendor_sub_id": "WP",
        "subject_sub_id": "paris", "currency": None,
    }


def test_a_level_that_does_not_know_of_the_last_sales_is_written_nowhere(shop):
    shop.level(1, on_hand=80, available=12)
    shop.reads(("shopify", "orders"))
    assert told(shop.night()) == []
    shop.reads()
    assert told(shop.night()) != []
