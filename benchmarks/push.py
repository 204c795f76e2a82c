"""Time of a push against the vendor's limit: `python -m benchmarks.push [rows]`.

The real plan, approval, pusher, Shopify channel and played Shopify, in process, with 150 ms added to each answer.
Stock corrections, 250 a call, on the smallest plan (100 points a second), so that the limit binds: the least time is
(points spent - bucket) / rate. Stated: time from first to last write against that, THROTTLED answers, and calls
against the least possible. Goal: at most 1.05, none throttled. In real time:
200,000 rows take about a minute and a half.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import httpx

from pipelines.approve import approve_by_policy
from pipelines.arming.armings import Armed, Arming
from pipelines.arming.scope import scope_of
from pipelines.channels.base import Connection
from pipelines.channels.shopify import SHOPIFY
from pipelines.plan import build_plan
from pipelines.push import push_plan
from resources.clock import SystemClock
from resources.warehouse import open_warehouse
from sandbox.records import Item, Stock
from sandbox.shopify import SHOP_ID, ShopifyVendor
from sandbox.store import Store
from sandbox.vendor import Place, Settings

LATENCY_SECONDS = 0.15
RATE, BUCKET, CALL_POINTS = 100.0, 2_000.0, 10.0
LOCATIONS = 8
BATCH = 250
EPOCH = datetime(2026, 6, 15, tzinfo=UTC)
ARMED = Armed((Arming(
    policy_hash="", scope=scope_of(["all"], ["shopify"]), until=datetime(2100, 1, 1, tzinfo=UTC), author="benchmark",
    reason="benchmark", at=EPOCH,
),))


class Distant(httpx.AsyncBaseTransport):
    """The vendor's app, 150 ms away; keeps when its writes began and ended."""

    def __init__(self, app: object) -> None:
        self._inner = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        self.writes: list[tuple[float, float]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        began = time.monotonic()
        await asyncio.sleep(LATENCY_SECONDS)
        response = await self._inner.handle_async_request(request)
        if b"inventorySetQuantities" in await request.aread():
            self.writes.append((began, time.monotonic()))
        return response


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), rows))


async def measure(folder: Path, rows: int) -> None:
    vendor, store = ShopifyVendor(), Store(folder / "world.sqlite", epoch=EPOCH)
    seed(vendor, store, rows)
    transport = Distant(vendor.app(store, Settings(plan="standard")))
    clock = SystemClock()
    connection = Connection(
        base_url="http://shop.invalid", secrets=dict.fromkeys(SHOPIFY.secrets, "sandbox"),
        options={"points_per_second": str(RATE)}, clock=clock, transport=transport,
    )
    with open_warehouse(folder / "warehouse", contact_key=b"benchmark") as con:
        con.execute("INSERT INTO estate.systems VALUES ('shopify', ?, 'Europe/Paris')", [SHOP_ID])
        con.execute("INSERT INTO estate.night VALUES ('n1', 'bench', ?, 'Europe/Paris', 'nightly')", [clock.now()])
        con.execute("INSERT INTO reads.verdicts VALUES ('shopify', 'stock', true, '')")
        con.execute("INSERT INTO policy.targets VALUES ('shopify', 'stock', 'available', 'live', true, 0)")
        con.execute("INSERT INTO policy.caps VALUES ('shopify', 'stock', 'available', 100, 50, ?)", [rows * 2])
        con.execute("INSERT INTO policy.decisions VALUES ('stock', 'available', 'explained', 'approve')")
        con.execute(DRIFT, {"rows": rows, "locations": LOCATIONS})
        con.execute(OBSERVED)
        plan_id = build_plan(con, lane="main", clock=clock)
        approve_by_policy(con, plan_id, armed=ARMED, clock=clock)
        async with SHOPIFY.connect(connection) as session:
            began = time.process_time()
            report = await push_plan(con, plan_id, {"shopify": (SHOPIFY, session)}, armed=ARMED, clock=clock)
            cpu = time.process_time() - began
            throttled = session.counters.throttled
    span = transport.writes[-1][1] - transport.writes[0][0]
    least_calls = ceil(rows / BATCH)
    limit = max((least_calls * CALL_POINTS - BUCKET) / RATE, 0.0)
    print(f"rows {rows:,}  outcomes {report.systems['shopify'].counts}  cpu (both sides) {cpu:.1f} s")
    print(f"writes {len(transport.writes)} (least {least_calls})  throttled {throttled}")
    ratio = f"{span / limit:.3f}" if limit else "not bound by the limit"
    print(f"span {span:.2f} s  limit {limit:.2f} s  ratio {ratio} (goal: at most 1.05)")
    store.close()


def seed(vendor: ShopifyVendor, store: Store, rows: int) -> None:
    vendor.put_places(store, [Place(location(n), f"shop {n}", "location") for n in range(LOCATIONS)], EPOCH)
    count = ceil(rows / LOCATIONS)
    vendor.put_items(store, (item(n) for n in range(count)), EPOCH)
    levels = (
        Stock(variant(n), location(place), 10, 0, inventory(n)) for n in range(count) for place in range(LOCATIONS)
    )
    vendor.put_stock(store, levels, EPOCH)


def item(n: int) -> Item:
    product = f"gid://shopify/Product/{7_000_000_000 + n}"
    return Item(variant(n), product, f"SKU-{n}", "", f"Item {n}", "", "", 2000, "gross", inventory_key=inventory(n))


def variant(n: int) -> str:
    return f"gid://shopify/ProductVariant/{4_000_000_000 + n}"


def inventory(n: int) -> str:
    return f"gid://shopify/InventoryItem/{5_000_000_000 + n}"


def location(n: int) -> str:
    return f"gid://shopify/Location/{90_000_000 + n}"


DRIFT = """
INSERT INTO reconcile.drift BY NAME
SELECT 'shopify' AS system, 'stock' AS entity, 'available' AS field,
  'gid://shopify/ProductVariant/' || (4000000000 + r.i // $locations) AS vendor_id,
  'gid://shopify/Location/' || (90000000 + r.i % $locations) AS vendor_sub_id,
  'item-' || (r.i // $locations) AS subject_id, 'place-' || (r.i % $locations) AS subject_sub_id,
  '10' AS observed, '10' AS base, true AS has_base, '9' AS desired, 'explained' AS drift_class, 'square' AS authority,
  'movements' AS rule, 'one was sold' AS reason,
  '{"inventory_item_id":"gid://shopify/InventoryItem/' || (5000000000 + r.i // $locations)
    || '","level_id":"gid://shopify/InventoryLevel/' || (90000000 + r.i % $locations)
    || '?inventory_item_id=' || (5000000000 + r.i // $locations) || '"}' AS context
FROM range($rows) AS r(i)
"""

OBSERVED = """
INSERT INTO observed.stock BY NAME
SELECT d.system, d.vendor_id, d.vendor_sub_id AS vendor_location_id, d.subject_id AS item_id,
  d.subject_sub_id AS location_id, 10 AS quantity
FROM reconcile.drift AS d
"""

if __name__ == "__main__":
    main()
