"""A small estate for planner, push and verify tests: policy rows, and drift rows with every column said."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import duckdb

from pipelines.tables import fill_table
from tests.conftest import open_warehouse

AS_OF = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

FIELDS = {
    "prices": ("amount", "compare_at"),
    "stock": ("on_hand", "available"),
    "items": ("gtin",),
    "customers": ("first_name", "last_name", "phone", "street", "city", "postcode"),
    "consents": ("state",),
}
APPROVED = ("elsewhere", "rule", "explained", "lower", "here", "never_agreed")


class VirtualClock:
    """A clock that moves only when told, or slept on."""

    def __init__(self, at: datetime = AS_OF) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@cache
def _warehouse() -> duckdb.DuckDBPyConnection:
    return open_warehouse()


def fresh() -> duckdb.DuckDBPyConnection:
    """One warehouse for a process, emptied: making a new one costs more than most tests."""
    con = _warehouse()
    tables = con.execute(
        "SELECT database_name, schema_name, table_name FROM duckdb_tables() "
        "WHERE (estimated_size > 0 OR schema_name = 'sync') "  # an estimate: what is chained must be empty for certain
        "AND schema_name NOT IN ('main', 'plan', 'agree')"
    ).fetchall()
    for name in tables:
        con.execute("DELETE FROM " + ".".join(f'"{part}"' for part in name))
    con.execute("DROP TABLE IF EXISTS plan.corrections")
    return con


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert dicts; columns left out are NULL."""
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def start_night(con: duckdb.DuckDBPyConnection, night: int = 1, *, as_of: datetime | None = None) -> None:
    """Set tonight: id `n<night>`, one day after the other."""
    at = as_of or AS_OF + timedelta(days=night - 1)
    con.execute("DELETE FROM estate.night")
    con.execute("INSERT INTO estate.night VALUES (?, 'maison', ?, 'Europe/Paris', 'nightly')", [f"n{night}", at])


SYSTEMS = ("square", "shopify", "hubspot", "mailchimp")


def policy(con: duckdb.DuckDBPyConnection, systems: Sequence[str] = SYSTEMS) -> None:
    """Everything live and writable, `APPROVED` classes approved, the rest held, generous caps."""
    pairs = [(entity, field) for entity, fields in FIELDS.items() for field in fields]
    fill_table(con, "estate.systems", [[s, f"shop-{s}", "Europe/Paris"] for s in systems])
    fill_table(con, "policy.targets", [[s, e, f, "live", True, 0] for s in systems for e, f in pairs])
    fill_table(con, "policy.raises", [[s, "consents"] for s in systems])
    fill_table(con, "policy.caps", [[s, e, f, 10, 50, 100000] for s in systems for e, f in pairs])
    fill_table(con, "policy.decisions", [[e, f, c, "approve"] for e, f in pairs for c in APPROVED])
    fill_table(con, "policy.guards", [["prices", "amount", 30, True, True, None, None]])
    fill_table(con, "reads.verdicts", [[s, e, True, ""] for s in systems for e in FIELDS])
    for table in ("policy.pilots", "policy.requests"):
        fill_table(con, table, [])
    start_night(con)


def drift(system: str = "shopify", entity: str = "prices", field: str = "amount", **rest: Any) -> dict[str, Any]:
    """One drift row; a harmless price correction unless told otherwise."""
    row: dict[str, Any] = {
        "system": system, "entity": entity, "field": field, "vendor_id": "v1", "vendor_sub_id": "base",
        "subject_id": "i1", "subject_sub_id": "eur", "currency": "EUR" if entity == "prices" else None,
        "observed": "1000", "base": "1000", "has_base": True, "desired": "1100", "drift_class": "elsewhere",
        "authority": "square", "rule": "source of truth", "reason": "square's price moved", "version": "7",
        "context": '{"product_id": "p1"}', "cost_minor": None, "old_minor": 1000 if entity == "prices" else None,
    }
    return row | rest


def consent(system: str = "mailchimp", **rest: Any) -> dict[str, Any]:
    """One drift row of the suppression lane: a yes to lower."""
    return drift(
        system, "consents", "state", vendor_sub_id="list1", subject_id="cp1", subject_sub_id="email:newsletter",
        context='{"email": "a@b.fr"}',
    ) | {"observed": "yes", "base": "yes", "desired": "no", "drift_class": "lower", "rule": "withdrawal"} | rest


def plan_rows(con: duckdb.DuckDBPyConnection, plan_id: str) -> list[dict[str, Any]]:
    """The plan as the ledger holds it, ordered."""
    result = con.execute(
        "SELECT * FROM ledger.sync.corrections WHERE plan_id = ? "
        "ORDER BY system, entity, field, vendor_id, vendor_sub_id",
        [plan_id],
    )
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
