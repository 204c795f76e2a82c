"""CPU of the drift step against a plain join, in the same run: `python -m benchmarks.drift [stock rows per system]`.

The tables are those of a night: `observed.stock` of two systems, `golden.stock`, and the base of both in a ledger file;
item ids are UUIDs and vendor ids text, as in production; 1 % of the levels differ, half of them explained by movements.
Ours: `build_drift`, all of it: tolerance, base, class, reason, and the table written. Plain: DuckDB's FULL OUTER JOIN
of the same observed and golden tables, keeping what is distinct; and, beside it, of one system with the other alone.
Each runs in a process of its own, in turn; CPU seconds are user plus system of the step. Goal: at most 1.5 times the
join of the same tables.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from pipelines import duck, ledger, sql
from pipelines.reconcile.drift import build_drift
from pipelines.stage import create_unions

LOCATIONS = 10
ROUNDS = 3


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        return measure(sys.argv[2], Path(sys.argv[3]))
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), rows)
        found: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
        for _ in range(ROUNDS):
            for mode, results in found.items():
                command = [sys.executable, "-m", "benchmarks.drift", str(rows), mode, folder]
                run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                results.append(json.loads(run.stdout))
    best = {mode: min(results, key=lambda result: result["cpu"]) for mode, results in found.items()}
    for mode, result in best.items():
        print(
            f"{mode:22} {rows:>10,} rows x 2 systems  cpu {result['cpu']:6.2f} s  wall {result['wall']:6.2f} s  "
            f"peak {result['peak_mb']:6,.0f} MB  {int(result['rows']):>9,} rows found"
        )
    ours = best["trueup"]["cpu"]
    print(f"ratio to the plain join of the same tables {ours / best['plain join']['cpu']:.2f} (goal: at most 1.5); "
          f"to one pair of systems alone {ours / best['plain join, one pair']['cpu']:.2f}")
    return None


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    con = duck.connect(str(folder / "work.duckdb"), threads=2, temp_directory=str(folder / "spill"))
    con.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    con.execute("ATTACH ? AS ledger", [str(folder / "ledger.duckdb")])
    return con


def generate(folder: Path, rows: int) -> None:
    """A night's tables with `rows` levels per system, each table in an order of its own."""
    con = connect(folder)
    sql.load_macros(con, contact_key=b"benchmark")
    ledger.migrate(con)
    create_unions(con)
    con.execute(
        "INSERT INTO policy.targets VALUES ('square', 'stock', 'on_hand', 'live', true, 0), "
        "('shopify', 'stock', 'available', 'live', true, 0)"
    )
    con.execute(
        "INSERT INTO reads.verdicts SELECT s, e, true, '' FROM (VALUES ('square'), ('shopify')) AS a(s), "
        "(VALUES ('items'), ('stock')) AS b(e)"
    )
    con.execute(
        "INSERT INTO estate.locations SELECT s, s || '-L' || i, 'location-' || i FROM "
        "(VALUES ('square'), ('shopify')) AS a(s), range(?) AS l(i)", [LOCATIONS]
    )
    con.execute(
        "INSERT INTO estate.stock_rules SELECT 'location-' || i, 'square', 0 FROM range(?) AS l(i)", [LOCATIONS]
    )
    con.execute(
        "CREATE TABLE keys AS SELECT i, CAST(CAST(md5(CAST(i // ? AS VARCHAR)) AS UUID) AS VARCHAR) AS item_id, "
        "'location-' || i % ? AS location_id, i % ? AS place, lpad(CAST(i // ? AS VARCHAR), 8, '0') AS number, "
        "CAST(hash(i) % 200 AS BIGINT) AS level, CAST(hash(i, 7) % 1000 AS INT) AS draw FROM range(?) AS r(i)",
        [LOCATIONS, LOCATIONS, LOCATIONS, LOCATIONS, rows],
    )
    con.execute(
        "INSERT INTO golden.stock SELECT item_id, location_id, level, 0, 0, 0, level, 'square', 'stock ledger', "
        "'square counts ' || level, level, 0, NULL FROM keys ORDER BY hash(i, 1)"
    )
    for system, prefix, differs in (("square", "V", False), ("shopify", "gid://shopify/ProductVariant/40", True)):
        con.execute(
            "INSERT INTO observed.stock SELECT ?, ? || number, ? || '-L' || place, item_id, location_id, "
            "level + CASE WHEN ? AND draw < 10 THEN 1 + level % 5 ELSE 0 END, level, 0, '7', '{}' "
            "FROM keys ORDER BY hash(i, 2)",
            [system, prefix, system, differs],
        )
        con.execute(
            "INSERT INTO ledger.agreed.stock SELECT ?, ? || number, ? || '-L' || place, item_id, location_id, "
            "level + CASE WHEN draw < 10 THEN 1 + level % 5 ELSE 0 END, ['quantity'], "
            "TIMESTAMPTZ '2026-06-15 01:00:00+00', 'n0' FROM keys ORDER BY hash(i, 3)",
            [system, prefix, system],
        )
        con.execute(
            "INSERT INTO reconcile.item_matches SELECT DISTINCT ?, ? || number, item_id, 'binding', false FROM keys",
            [system, prefix],
        )
    con.execute(
        "CREATE TABLE reconcile.outstanding AS SELECT 'shopify' AS system, '' AS movement_id, item_id, location_id, "
        "'open' AS term, 0::BIGINT AS quantity FROM keys WHERE false"
    )
    con.execute(
        "CREATE TABLE reconcile.movement_log AS SELECT 'square' AS system, 'M' || i AS movement_id, 'V' || number AS "
        "vendor_id, 'square-L' || place AS vendor_location_id, item_id, location_id, 'sale' AS kind, "
        "-(1 + level % 5) AS quantity, NULL::VARCHAR AS order_state, "
        "TIMESTAMPTZ '2026-06-15 12:00:00+00' AS occurred_at, "
        "TIMESTAMPTZ '2026-06-16 00:00:00+00' AS first_seen_at, 'n1' AS settled_night, 'square' AS authority "
        "FROM keys WHERE draw < 5 OR draw > 990"
    )
    con.execute("DROP TABLE keys")
    con.execute("CHECKPOINT; CHECKPOINT ledger")
    con.close()


def plain_join(con: duckdb.DuckDBPyConnection) -> int:
    con.execute(
        "CREATE OR REPLACE TABLE plain AS SELECT o.system, coalesce(o.item_id, g.item_id) AS item_id, "
        "coalesce(o.location_id, g.location_id) AS location_id, o.vendor_id, o.vendor_location_id, o.quantity, "
        "g.available FROM observed.stock AS o FULL OUTER JOIN golden.stock AS g "
        "ON g.item_id = o.item_id AND g.location_id = o.location_id WHERE o.quantity IS DISTINCT FROM g.available"
    )
    return count(con, "plain")


def plain_pair(con: duckdb.DuckDBPyConnection) -> int:
    con.execute(
        "CREATE OR REPLACE TABLE plain AS SELECT coalesce(a.item_id, b.item_id) AS item_id, "
        "coalesce(a.location_id, b.location_id) AS location_id, a.quantity AS a, b.quantity AS b "
        "FROM (SELECT item_id, location_id, quantity FROM observed.stock WHERE system = 'square') AS a "
        "FULL OUTER JOIN (SELECT item_id, location_id, quantity FROM observed.stock WHERE system = 'shopify') AS b "
        "ON a.item_id = b.item_id AND a.location_id = b.location_id WHERE a.quantity IS DISTINCT FROM b.quantity"
    )
    return count(con, "plain")


def peak_mb() -> float:
    """The largest resident size of this process; getrusage would show its parent's, where that was larger."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


MODES: dict[str, Callable[[duckdb.DuckDBPyConnection], int]] = {
    "plain join": plain_join, "plain join, one pair": plain_pair, "trueup": build_drift,
}


def measure(mode: str, folder: Path) -> None:
    con = connect(folder)
    sql.load_macros(con, contact_key=b"benchmark")
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    found = MODES[mode](con)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": time.perf_counter() - began, "peak_mb": peak_mb(), "rows": found,
    }))


if __name__ == "__main__":
    main()
