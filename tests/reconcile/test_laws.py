"""Laws of reconcile over made-up shops, hundreds in one estate, since a night costs about the same for one or many.

Shops share no key, so each is matched, compared and planned as if it were alone. All from one seed.
"""

from functools import partial
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.plan import decide
from pipelines.tables import fill_table
from tests.conftest import open_warehouse
from tests.law import law
from tests.reconcile.shop import SYSTEMS, VENDOR_IDS, Shop, rows

COUNT = 500
SEEDS = st.integers(0, 2**32)
LAW = partial(law, 1, holds=COUNT, is_seeded=True)
EMPTIED = (
    *(f"{system}.{table}" for system in SYSTEMS for table in ("items", "prices")), "square.stock", "shopify.stock",
    "square.promotions", "ledger.identity.items", "ledger.identity.movements", "ledger.agreed.prices",
    "ledger.agreed.stock", "quarantine.reconcile", "observed.customers", "golden.customers",
)
COLUMNS = {
    ("prices", "amount"): ("amount_minor", "BIGINT", "vendor_price_list"),
    ("prices", "compare_at"): ("compare_at_minor", "BIGINT", "vendor_price_list"),
    ("stock", "on_hand"): ("on_hand", "BIGINT", "vendor_location_id"),
    ("stock", "available"): ("available", "BIGINT", "vendor_location_id"),
    ("items", "gtin"): ("gtin_norm", "VARCHAR", "''"),
}
Variant = dict[str, Any]


def variants(seed: int, count: int = COUNT) -> list[Variant]:
    """The variants of many shops; those of one shop may share SKU and GTIN, those of two never do."""
    dice, made = Random(seed), []
    for shop in range(count):
        for _ in range(dice.randint(6, 16)):
            gtin = dice.randint(0, 12)
            made.append({
                "number": len(made) + 1, "prices": {system: dice.randint(100, 90_000) for system in SYSTEMS},
                "rate": dice.choice([0, 210, 550, 1000, 2000]), "percent": dice.choice([0, 0, 15, 33]),
                "on_hand": dice.randint(0, 40), "available": dice.randint(-3, 40), "in_square": dice.random() < 0.5,
                "sku": f"SKU-{shop}-{dice.randint(1, 30)}", "gtin": f"{shop * 100 + gtin:014d}" if gtin else None,
            })
            if dice.random() < 0.3:
                made[-1]["prices"] = dict.fromkeys(SYSTEMS, made[-1]["prices"]["square"])
    return made


@pytest.fixture(scope="module")
def warehouse():
    con = open_warehouse()
    yield con
    con.close()


def opened(con: Any, made: list[Variant]) -> Shop:
    """Fresh shops in a used warehouse: the ledger and the stage tables are emptied first."""
    for table in EMPTIED:
        con.execute(f"DELETE FROM {table}")
    shop = Shop(con).open()
    for system in SYSTEMS:
        held = [one for one in made if one["in_square"] or system != "square"]
        keys = [f"{VENDOR_IDS[system]}{one['number']}" for one in held]
        is_till = system == "square"
        _append(con, f"{system}.items", vendor_id=keys, sku_norm=[one["sku"] for one in held],
                gtin_norm=[one["gtin"] if system != "hubspot" else None for one in held],
                status=["active"] * len(held), is_tracked=[True] * len(held),
                tax_rate_bp=[one["rate"] if is_till else None for one in held])
        _append(con, f"{system}.prices", vendor_id=keys, amount_minor=[one["prices"][system] for one in held],
                vendor_price_list=["price" if system == "hubspot" else "base"] * len(held),
                currency=["EUR"] * len(held), tax_basis=["net" if system == "hubspot" else "gross"] * len(held))
        if system != "hubspot":
            column, place = ("on_hand", "LP") if is_till else ("available", "WP")
            _append(con, f"{system}.stock", vendor_id=keys, vendor_location_id=[place] * len(held),
                    is_tracked=[True] * len(held), **{column: [one[column] for one in held]})
    sold = [one for one in made if one["percent"] and one["in_square"]]
    _append(con, "square.promotions", promotion_id=[f"P{one['number']}" for one in sold],
            vendor_id=[f"V{one['number']}" for one in sold], percent=[one["percent"] for one in sold],
            starts_on=["2026-06-15"] * len(sold), ends_on=["2026-06-16"] * len(sold))
    return shop


def _append(con: Any, table: str, **columns: list[Any]) -> None:
    con.register("incoming", pa.table(columns))
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    con.unregister("incoming")


def push(con: Any, written: list[dict[str, Any]]) -> None:
    """Give every system what was planned, as perfect pushes would."""
    con.register("written", pa.table({
        name: pa.array([row[name] for row in written], pa.string())
        for name in ("system", "entity", "field", "vendor_id", "vendor_sub_id", "desired")
    }))
    for system, entity, field in sorted({(row["system"], row["entity"], row["field"]) for row in written}):
        column, kind, sub = COLUMNS[entity, field]
        con.execute(
            f"UPDATE {system}.{entity} AS t SET {column} = CAST(w.desired AS {kind}) FROM written AS w "
            "WHERE w.system = ? AND w.entity = ? AND w.field = ? AND w.vendor_id = t.vendor_id "
            f"AND w.vendor_sub_id = {sub}",
            [system, entity, field],
        )
    con.unregister("written")


@LAW()
@given(seed=SEEDS, which=st.sampled_from(SYSTEMS))
def test_the_laws_of_reconcile(warehouse, seed, which):
    made = variants(seed)
    shop = opened(warehouse, made)
    drift = shop.night()
    kept_out = rows(warehouse, "SELECT * FROM quarantine.reconcile ORDER BY ALL")
    every_record_is_matched_once_or_kept_out(warehouse)
    assert drift and kept_out, "shops in which something differs, and something is nobody's"

    push(warehouse, drift)
    shop.day -= 1
    assert shop.night() == [], "golden, reconciled, is golden"

    assert opened(warehouse, made[::-1]).night() == drift, "the order of rows does not matter"
    assert rows(warehouse, "SELECT * FROM quarantine.reconcile ORDER BY ALL") == kept_out

    shop = opened(warehouse, made)
    shop.reads(*((which, entity) for entity in ("items", "prices", "stock", "orders", "customers")))
    partial = shop.night()
    mine = [row for row in partial if which in (row["system"], row["authority"])]
    assert mine == [], "no rows for a system that is down"
    known = {tuple(row.items()) for row in drift}
    assert [row for row in partial if tuple(row.items()) not in known] == [], "and none elsewhere because of it"


@LAW()
@given(seed=SEEDS)
def test_the_plan_after_an_applied_plan_has_nothing_to_write(warehouse, seed):
    """From the stage tables to the plan and back, with guards, caps and classes that keep some rows from going."""
    fields = list(COLUMNS)
    fill_table(warehouse, "policy.decisions", [
        (*pair, drift_class, "approve") for pair in fields for drift_class in ("never_agreed", "elsewhere", "rule")
    ])
    fill_table(warehouse, "policy.guards", [("prices", "amount", 60.0, True, True, 500, None)])
    fill_table(warehouse, "policy.caps", [(system, *pair, 50.0, 10, 600) for system in SYSTEMS for pair in fields])
    shop = opened(warehouse, variants(seed))
    shop.night()
    before = _decided(warehouse)
    approved = [row for row in before if row["disposition"] == "approve"]
    assert approved and len(approved) < len(before), "some rows go, some do not"
    push(warehouse, approved)
    shop.day -= 1
    shop.night()
    left = {row["correction_key"] for row in before if row["disposition"] != "approve"}
    after = _decided(warehouse)
    assert {row["correction_key"] for row in after} == left, "what was written is gone, the rest is as it was"


def _decided(con: Any) -> list[dict[str, Any]]:
    decide(con, "main")
    return rows(con, "SELECT * FROM plan.decided ORDER BY correction_key")


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
