"""Laws of reconcile over made-up shops, a dozen variants at a time, since a night costs the same for one or many."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import open_warehouse
from tests.reconcile.shop import SYSTEMS, VENDOR_IDS, Shop, insert, rows

FEW = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
EMPTIED = (
    *(f"{system}.{table}" for system in SYSTEMS for table in ("items", "prices")), "square.stock", "shopify.stock",
    "square.promotions", "ledger.identity.items", "ledger.identity.movements", "ledger.agreed.prices",
    "ledger.agreed.stock", "quarantine.reconcile", "observed.customers", "golden.customers",
)

levels = st.tuples(st.integers(0, 40), st.integers(-3, 40))
item = st.fixed_dictionaries({
    "eur": st.integers(100, 90_000), "shopify": st.integers(100, 90_000), "hubspot": st.integers(100, 90_000),
    "rate": st.sampled_from([0, 210, 550, 1000, 2000]), "percent": st.sampled_from([0, 0, 15, 33]), "level": levels,
    "in_square": st.booleans(), "sku": st.integers(1, 30), "gtin": st.integers(0, 12),
})
shops = st.lists(item, min_size=6, max_size=16)


@pytest.fixture(scope="module")
def warehouse():
    con = open_warehouse()
    yield con
    con.close()


def opened(con: Any, items: list[dict[str, Any]], *, is_reversed: bool = False) -> Shop:
    """A fresh shop in a used warehouse: the ledger and the stage tables are emptied first."""
    for table in EMPTIED:
        con.execute(f"DELETE FROM {table}")
    shop = Shop(con).open()
    numbered = list(enumerate(items, start=1))
    for number, made in reversed(numbered) if is_reversed else numbered:
        for system in SYSTEMS:
            if system == "square" and not made["in_square"]:
                continue
            vendor_id = f"{VENDOR_IDS[system]}{number}"
            insert(con, f"{system}.items", {
                "vendor_id": vendor_id, "sku_norm": f"SKU-{made['sku']}", "status": "active", "is_tracked": True,
                "gtin_norm": f"{made['gtin']:014d}" if made["gtin"] and system != "hubspot" else None,
                "tax_rate_bp": made["rate"] if system == "square" else None,
            })
            shop.price(system, vendor_id, made["eur"] if system == "square" else made[system])
        if made["percent"] and made["in_square"]:
            insert(con, "square.promotions", {
                "promotion_id": f"P{number}", "vendor_id": f"V{number}", "percent": made["percent"],
                "starts_on": "2026-06-15", "ends_on": "2026-06-16",
            })
        shop.level(number, on_hand=made["level"][0] if made["in_square"] else None, available=made["level"][1])
    return shop


def push_everything(shop: Shop, drift: list[dict[str, Any]]) -> None:
    """Give every system what golden wants, as perfect pushes would."""
    for row in drift:
        if row["entity"] == "prices":
            column = "amount_minor" if row["field"] == "amount" else "compare_at_minor"
            shop.con.execute(
                f"UPDATE {row['system']}.prices SET {column} = CAST(? AS BIGINT) "
                "WHERE vendor_id = ? AND vendor_price_list = ?",
                [row["desired"], row["vendor_id"], row["vendor_sub_id"]],
            )
        elif row["entity"] == "stock":
            column = "on_hand" if row["field"] == "on_hand" else "available"
            shop.con.execute(
                f"UPDATE {row['system']}.stock SET {column} = CAST(? AS BIGINT) WHERE vendor_id = ?",
                [row["desired"], row["vendor_id"]],
            )
        else:
            shop.con.execute(f"UPDATE {row['system']}.items SET gtin_norm = ? WHERE vendor_id = ?",
                             [row["desired"], row["vendor_id"]])


@FEW
@given(items=shops, which=st.sampled_from(SYSTEMS))
def test_the_laws_of_reconcile(warehouse, items, which):
    shop = opened(warehouse, items)
    drift = shop.night()
    kept_out = rows(warehouse, "SELECT * FROM quarantine.reconcile ORDER BY ALL")
    every_record_is_matched_once_or_kept_out(warehouse)

    push_everything(shop, drift)
    shop.day -= 1
    assert shop.night() == [], "golden, reconciled, is golden"

    assert opened(warehouse, items, is_reversed=True).night() == drift, "the order of rows does not matter"
    assert rows(warehouse, "SELECT * FROM quarantine.reconcile ORDER BY ALL") == kept_out

    shop = opened(warehouse, items)
    shop.reads(*((which, entity) for entity in ("items", "prices", "stock", "orders", "customers")))
    partial = shop.night()
    mine = [row for row in partial if which in (row["system"], row["authority"])]
    assert mine == [], "no rows for a system that is down"
    assert [row for row in partial if row not in drift] == [], "and none elsewhere because of it"


def every_record_is_matched_once_or_kept_out(con: Any) -> None:
    for system in SYSTEMS:
        records = rows(con, f"SELECT vendor_id FROM {system}.items ORDER BY ALL")
        told = rows(
            con, "SELECT vendor_id FROM reconcile.item_matches WHERE system = ? UNION ALL SELECT vendor_id FROM "
            "quarantine.reconcile WHERE system = ? AND entity = 'items' ORDER BY ALL", system, system,
        )
        assert told == records
    crowded = "SELECT item_id FROM reconcile.item_matches GROUP BY system, item_id HAVING count(*) > 1"
    assert rows(con, crowded) == [], "one record of a system is one item"
