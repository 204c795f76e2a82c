"""A shop small enough to think about: three systems, one till location, put into the stage tables by hand.

`Shop.night()` runs reconcile as a night does, from matching to drift; `agree()` moves the base by the second proof only
(what does not drift has agreed), so these tests do not lean on the stage that does it in production.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from pipelines.plan import build_plan
from pipelines.reconcile.drift import build_drift
from pipelines.reconcile.items import reconcile_items
from pipelines.reconcile.trees import build_trees
from pipelines.tables import fill_table
from tests.plan.world import VirtualClock

FIRST = datetime(2026, 6, 15, tzinfo=UTC)
SYSTEMS = ("square", "shopify", "hubspot")
VENDOR_IDS = {"square": "V", "shopify": "S", "hubspot": "H"}


def insert(con: duckdb.DuckDBPyConnection, table: str, *rows: dict[str, Any]) -> None:
    """Append rows; columns left out are NULL."""
    for row in rows:
        marks = ", ".join("?" for _ in row)
        con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


@dataclass
class Shop:
    """The systems' present state and the nights gone by."""

    con: duckdb.DuckDBPyConnection
    day: int = -1
    tables: set[str] = field(default_factory=set)

    def open(self) -> "Shop":
        """Estate, policy and complete reads."""
        con = self.con
        fill_table(con, "estate.locations", [("square", "LP", "paris"), ("shopify", "WP", "paris")])
        fill_table(con, "estate.stock_rules", [("paris", "square", 1)])
        fill_table(con, "estate.price_lists", [
            ("square", "base", "eur", "EUR", "gross"), ("shopify", "base", "eur", "EUR", "gross"),
            ("hubspot", "price", "eur", "EUR", "net"), ("shopify", "JP", "jpy", "JPY", "gross"),
        ])
        fill_table(con, "policy.sources", [
            (entity, name, system, rank)
            for entity, name in (("items", "gtin"), ("prices", "amount"))
            for rank, system in enumerate(SYSTEMS, start=1)
        ])
        fields = [
            *(("prices", "amount", system) for system in SYSTEMS), ("prices", "compare_at", "shopify"),
            ("stock", "on_hand", "square"), ("stock", "available", "shopify"), ("items", "gtin", "square"),
            ("items", "gtin", "shopify"), *(("customers", "first_name", system) for system in SYSTEMS),
        ]
        fill_table(con, "policy.targets", [(system, entity, name, "live", True, 0) for entity, name, system in fields])
        self.reads()
        return self

    def reads(self, *incomplete: tuple[str, str]) -> None:
        """Verdicts of tonight; all complete but the (system, entity) given."""
        entities = ("items", "prices", "stock", "orders", "customers")
        fill_table(self.con, "reads.verdicts", [
            (system, entity, (system, entity) not in incomplete, "") for system in SYSTEMS for entity in entities
        ])

    def item(self, number: int, eur: int = 1200, **columns: Any) -> None:
        """A variant in all three systems, at one price."""
        for system in SYSTEMS:
            vendor_id = f"{VENDOR_IDS[system]}{number}"
            insert(self.con, f"{system}.items", {
                "vendor_id": vendor_id, "sku_norm": f"SKU-{number}", "status": "active", "is_tracked": True,
                "is_kit": False, "tax_rate_bp": 2000 if system == "square" else None, **columns,
            })
            self.price(system, vendor_id, eur if system != "hubspot" else eur * 10_000 // 12_000)

    def price(self, system: str, vendor_id: str, amount: int, **columns: Any) -> None:
        """Set the price in the system's main list."""
        listed = "price" if system == "hubspot" else "base"
        self.con.execute(
            f"DELETE FROM {system}.prices WHERE vendor_id = ? AND vendor_price_list = ?", [vendor_id, listed]
        )
        insert(self.con, f"{system}.prices", {
            "vendor_id": vendor_id, "vendor_price_list": listed, "currency": "EUR", "amount_minor": amount,
            "tax_basis": "net" if system == "hubspot" else "gross", **columns,
        })

    def level(self, number: int, on_hand: int | None = None, available: int | None = None) -> None:
        """Set what the till counts and what the webshop sells."""
        for table, vendor_id, place, column, value in (
            ("square.stock", f"V{number}", "LP", "on_hand", on_hand),
            ("shopify.stock", f"S{number}", "WP", "available", available),
        ):
            if value is not None:
                self.con.execute(f"DELETE FROM {table} WHERE vendor_id = ?", [vendor_id])
                insert(self.con, table, {
                    "vendor_id": vendor_id, "vendor_location_id": place, column: value, "is_tracked": True,
                })

    def move(
        self, system: str, number: int, quantity: int, *, kind: str, state: str | None = None, key: str = ""
    ) -> None:
        """A movement in a system's log, an hour before the night that comes."""
        at = self.as_of(self.day + 1) - timedelta(hours=1)
        key = key or f"{kind}-{number}-{self.day}"
        self.con.execute(f"DELETE FROM {system}.movements WHERE movement_id = ?", [key])
        insert(self.con, f"{system}.movements", {
            "movement_id": key, "vendor_id": f"{VENDOR_IDS[system]}{number}",
            "vendor_location_id": "LP" if system == "square" else "WP", "kind": kind, "quantity": quantity,
            "order_state": state, "occurred_at": at, "updated_at": at,
        })

    @staticmethod
    def as_of(day: int) -> datetime:
        """When the night of a day begins."""
        return FIRST + timedelta(days=day)

    def night(self) -> list[dict[str, Any]]:
        """One night, up to its drift; returns the rows, ordered."""
        self.day += 1
        kind = "adopt" if self.day == 0 else "nightly"
        fill_table(self.con, "estate.night", [(f"n{self.day}", "maison", self.as_of(self.day), "Europe/Paris", kind)])
        reconcile_items(self.con)
        build_trees(self.con)
        build_drift(self.con)
        return rows(self.con, "SELECT * FROM reconcile.drift ORDER BY ALL")

    def send(self) -> None:
        """Plan tonight's drift and send its first row; the night ends before anything is proved."""
        clock = VirtualClock(self.as_of(self.day))
        plan_id = build_plan(self.con, lane="main", clock=clock)
        insert(self.con, "ledger.sync.intents", {
            "plan_id": plan_id, "batch_id": "b", "vendor_key": "k", "attempt": 1, "state": "sent",
            "composed_at": clock.now(), "sent_at": clock.now(),
            "correction_key": rows(self.con, "SELECT correction_key FROM ledger.sync.corrections")[0]["correction_key"],
        })

    def agree(self) -> None:
        """Everything observed that does not drift is the new base."""
        at = self.as_of(self.day) + timedelta(hours=1)
        for entity, sub, columns, base in (
            ("prices", "vendor_price_list", "amount, compare_at", ["amount", "compare_at"]),
            ("stock", "vendor_location_id", "quantity", ["quantity"]),
        ):
            agreeing = (
                f"FROM observed.{entity} AS o WHERE NOT EXISTS (SELECT 1 FROM reconcile.drift AS d "
                f"WHERE d.system = o.system AND d.entity = '{entity}' AND d.vendor_id = o.vendor_id "
                f"AND d.vendor_sub_id = o.{sub})"
            )
            self.con.execute(
                f"DELETE FROM ledger.agreed.{entity} AS b WHERE EXISTS "
                f"(SELECT 1 {agreeing} AND o.system = b.system AND o.vendor_id = b.vendor_id AND o.{sub} = b.{sub})"
            )
            self.con.execute(
                f"INSERT INTO ledger.agreed.{entity} (system, vendor_id, {sub}, {columns}, fields, agreed_at, "
                f"night_id) SELECT o.system, o.vendor_id, o.{sub}, {columns}, ?, ?, ? {agreeing}",
                [base, at, f"n{self.day}"],
            )


def rows(con: duckdb.DuckDBPyConnection, query: str, *values: object) -> list[dict[str, Any]]:
    """Rows as dicts."""
    cursor = con.execute(query, list(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def told(drift: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The gist of drift rows: system, field, vendor id, observed, desired, class."""
    return [(d["system"], d["field"], d["vendor_id"], d["observed"], d["desired"], d["drift_class"]) for d in drift]
