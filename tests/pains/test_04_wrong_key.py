"""Wrong key: blank, duplicate or renamed SKU, matching by name, leading zeros, spaces.

woocommerce/woocommerce-square PR#487 (a blank SKU matched an unrelated product and overwrote it at every poll);
frappe/erpnext#7920 (match by name); Starktail/woocommerce_fusion#256; libracore/WooCommerceConnector#80;
magento-engcom/import-export-improvements#37 ("ABC" and "ABC "); OCA/pos#53 and odoo PR#15814 (zeros of an EAN);
commercetools/commercetools-sync-java#132 (a SKU moved to another product).
"""

import pytest

from tests.reconcile.shop import insert, rows


def put(shop, key: str, sku: str | None, gtin: str | None = None) -> None:
    """An item as a system's stage makes it of what people typed."""
    system = {"V": "square", "S": "shopify"}[key[0]]
    insert(shop.con, f"{system}.items", {"vendor_id": key, "title": "Robe", "status": "active", "is_tracked": True})
    shop.con.execute(
        f"UPDATE {system}.items SET sku_norm = norm_sku(?), gtin_norm = norm_gtin(?) WHERE vendor_id = ?",
        [sku, gtin, key],
    )


def items(shop) -> dict[str, str]:
    shop.night()
    return {row["vendor_id"]: row["item_id"] for row in rows(shop.con, "SELECT * FROM reconcile.item_matches")}


@pytest.mark.parametrize("blank", [None, "", " ", "\u00a0\t"])
def test_a_blank_sku_matches_nothing_not_even_by_its_name(shop, blank):
    put(shop, "V9", blank)
    put(shop, "S9", blank)
    assert items(shop).keys().isdisjoint({"V9", "S9"})
    assert {row["vendor_id"] for row in rows(shop.con, "SELECT * FROM quarantine.reconcile")} == {"V9", "S9"}


def test_a_sku_on_two_records_is_nobodys_and_is_told(shop):
    put(shop, "V8", "DOUBLE")
    put(shop, "V9", "DOUBLE")
    put(shop, "S9", "DOUBLE")
    assert items(shop).keys().isdisjoint({"V8", "V9", "S9"})


def test_spaces_and_case_make_no_other_sku(shop):
    put(shop, "V9", " abc ")
    put(shop, "S9", "ABC")
    found = items(shop)
    assert found["V9"] == found["S9"]


def test_zeros_before_a_barcode_make_no_other_barcode(shop):
    put(shop, "V9", "TILL-9", "012345678905")
    put(shop, "S9", "WEB-9", "0012345678905")
    found = items(shop)
    assert found["V9"] == found["S9"]


def test_a_sku_that_moved_to_another_record_moves_no_value(shop):
    items(shop)
    shop.con.execute(
        "UPDATE square.items SET sku_norm = CASE vendor_id WHEN 'V1' THEN 'SKU-2' ELSE 'SKU-1' END"
    )
    shop.price("square", "V1", 5000)
    shop.price("square", "V2", 6000)
    assert items(shop).keys().isdisjoint({"V1", "V2"})
    assert rows(shop.con, "SELECT vendor_id FROM reconcile.drift") == []
