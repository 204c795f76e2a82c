"""Wrong price: tax basis, list, currency, zero, wrong field.

OCA/connector-magento#84, #109, #116; OCA/connector-prestashop PR#124;
plentymarkets/plentymarkets-shopware-connector#536; frappe/erpnext#38166, #7920 (all price lists overwritten);
frappe/ecommerce_integrations#154, #166; PrestaShop/PrestaShop#31264; microsoft/BCApps#8561, PR#4512;
facebook/facebook-for-woocommerce#2313 (price 0); lsretailomni/lsmag-two#51 (variants pass through 0);
Starktail/woocommerce_fusion#60 (the purchase price pushed).
"""

import pytest

from pipelines.plan import build_plan
from tests.plan.world import VirtualClock, drift, insert, plan_rows
from tests.reconcile.shop import insert as put
from tests.reconcile.shop import rows, told


def test_a_gross_price_is_written_net_where_prices_are_net(shop):
    shop.price("square", "V1", 1500)
    assert ("hubspot", "amount", "H1", "1000", "1250", "never_agreed") in told(shop.night())


def test_a_price_whose_tax_rate_nobody_knows_is_reported_not_guessed(shop):
    shop.con.execute("UPDATE square.items SET tax_rate_bp = NULL")
    shop.price("square", "V1", 1500)
    assert {row[0] for row in told(shop.night())} == {"shopify"}
    assert rows(shop.con, "SELECT DISTINCT system, value_class FROM quarantine.reconcile") == [
        {"system": "hubspot", "value_class": "unknown tax rate"}
    ]


def test_a_price_in_another_currency_is_compared_with_nothing(shop):
    shop.con.execute("UPDATE shopify.prices SET currency = 'USD' WHERE vendor_id = 'S1'")
    shop.price("square", "V1", 1500)
    assert {row[0] for row in told(shop.night())} == {"hubspot"}
    assert rows(shop.con, "SELECT vendor_id FROM observed.prices WHERE system = 'shopify'") == [{"vendor_id": "S2"}]
    assert rows(shop.con, "SELECT vendor_id, value_class FROM quarantine.reconcile") == [
        {"vendor_id": "S1", "value_class": "other currency"}
    ]


def test_a_price_of_one_list_is_written_to_no_other(shop):
    put(shop.con, "estate.price_lists", {
        "system": "shopify", "vendor_price_list": "PRO", "price_list_id": "pro", "currency": "EUR",
        "tax_basis": "gross",
    })
    put(shop.con, "shopify.prices", {
        "vendor_id": "S1", "vendor_price_list": "PRO", "currency": "EUR", "amount_minor": 900, "tax_basis": "gross",
    })
    shop.price("square", "V1", 1500)
    assert {row["vendor_sub_id"] for row in shop.night()} == {"base", "price"}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"desired": "0", "old_minor": None}, "zero"),
        ({"desired": "840", "old_minor": None, "cost_minor": 900}, "below its cost"),
        ({"desired": "100000"}, "more than 30 %"),
    ],
    ids=["price 0", "purchase price", "slipped decimal"],
)
def test_a_price_that_is_surely_a_mistake_is_refused_whoever_approves(world, row, why):
    insert(world, "reconcile.drift", [drift(**row)])
    (planned,) = plan_rows(world, build_plan(world, lane="main", clock=VirtualClock()))
    assert planned["disposition"] == "refuse" and why in planned["disposition_reason"]
