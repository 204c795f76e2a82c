"""Bindings over several nights: minted once, kept, never moved without a word."""

import pytest

from tests.reconcile.shop import Shop, insert, rows


@pytest.fixture
def shop(con) -> Shop:
    opened = Shop(con).open()
    opened.item(1)
    opened.item(2)
    return opened


def bindings(shop: Shop) -> list[dict[str, object]]:
    return rows(shop.con, "SELECT * FROM ledger.identity.items ORDER BY ALL")


def test_an_id_is_minted_once_and_read_from_then_on(shop):
    shop.night()
    first = bindings(shop)
    assert len(first) == 6 and len({row["item_id"] for row in first}) == 2
    shop.night()
    assert bindings(shop) == first
    assert {row["rule"] for row in rows(shop.con, "SELECT rule FROM reconcile.item_matches")} == {"binding"}


def test_the_same_night_run_again_mints_the_same_ids(shop):
    shop.night()
    first = bindings(shop)
    shop.con.execute("DELETE FROM ledger.identity.items")
    shop.day -= 1
    shop.night()
    assert bindings(shop) == first


def test_the_order_of_rows_does_not_matter(shop):
    for number in range(3, 30):
        shop.item(number)
    shop.night()
    first = bindings(shop)
    for system in ("square", "shopify", "hubspot"):
        shop.con.execute(
            f"CREATE OR REPLACE TABLE {system}.items AS SELECT * FROM {system}.items ORDER BY sku_norm DESC"
        )
    shop.con.execute("DELETE FROM ledger.identity.items")
    shop.day -= 1
    shop.night()
    assert bindings(shop) == first


def test_a_renamed_sku_keeps_its_item_and_is_free_again_once_renamed_everywhere(shop):
    shop.night()
    items = {row["vendor_id"]: row["item_id"] for row in bindings(shop)}
    shop.con.execute("UPDATE square.items SET sku_norm = 'NEW' WHERE vendor_id = 'V1'")
    shop.night()
    assert len(bindings(shop)) == 6, "not everywhere yet"
    for table in ("shopify.items", "hubspot.items"):
        shop.con.execute(f"UPDATE {table} SET sku_norm = 'NEW' WHERE sku_norm = 'SKU-1'")
    shop.night()
    insert(shop.con, "square.items", {"vendor_id": "V9", "sku_norm": "SKU-1", "status": "active"})
    shop.night()
    matched = {row["vendor_id"]: row["item_id"] for row in rows(shop.con, "SELECT * FROM reconcile.item_matches")}
    assert {key: matched[key] for key in items} == items
    assert matched["V9"] not in items.values()


def test_a_duplicate_goes_to_quarantine_with_its_other_side_and_the_rest_goes_on(shop):
    shop.night()
    insert(shop.con, "square.items", {"vendor_id": "V9", "sku_norm": "SKU-1", "status": "active"})
    shop.price("square", "V1", 5000)
    shop.price("square", "V2", 5000)
    drift = shop.night()
    assert {d["vendor_id"] for d in drift} == {"S2", "H2"}
    kept_out = rows(shop.con, "SELECT * FROM quarantine.reconcile ORDER BY vendor_id")
    assert [(row["system"], row["entity"], row["vendor_id"], row["field"]) for row in kept_out] == [
        ("hubspot", "items", "H1", "sku"), ("shopify", "items", "S1", "sku"), ("square", "items", "V1", "sku"),
        ("square", "items", "V9", "sku"),
    ]


def test_a_pilot_named_by_sku_becomes_our_ids(shop):
    insert(shop.con, "policy.pilot_skus", {"system": "shopify", "entity": "prices", "sku": " sku-1 "})
    shop.night()
    item = rows(shop.con, "SELECT item_id FROM ledger.identity.items WHERE vendor_id = 'S1'")[0]["item_id"]
    assert rows(shop.con, "SELECT * FROM policy.pilots") == [
        {"system": "shopify", "entity": "prices", "subject_id": item}
    ]


def test_unmapped_places_are_told(shop):
    shop.level(1, on_hand=1)
    insert(shop.con, "shopify.stock", {"vendor_id": "S1", "vendor_location_id": "DROPSHIP", "available": 3})
    shop.night()
    assert rows(shop.con, "SELECT * FROM reconcile.unmapped") == [
        {"system": "shopify", "kind": "location", "vendor_id": "DROPSHIP", "row_count": 1}
    ]
