"""A partition of the backfill is one day of the shops: each order belongs to exactly one, and a range is one run."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from assets.backfill import days
from definitions import build_defs
from pipelines.channels.base import Window
from pipelines.errors import ConfigurationError
from resources.channels import Settings
from sandbox.records import Line, Order
from tests.assets.conftest import run, told
from tests.channels import shopify_world, test_square
from tests.channels.harness import Outside
from tests.nights.harness import PlayedEstate

Copy = Callable[[PlayedEstate], PlayedEstate]

PARIS = ZoneInfo("Europe/Paris")
FIRST = date(2026, 6, 1)
MIDNIGHTS = [datetime(2026, 6, day, tzinfo=PARIS).astimezone(UTC) for day in range(1, 6)]
AROUND = [at + timedelta(seconds=s) for at in MIDNIGHTS for s in (-1, 0, 1, 43_200)]
"""When orders changed: about each midnight of the shops, and at noon."""


def _square() -> Outside:
    world = test_square.till()
    world.vendor.put_orders(world.store, [test_square.order(n, updated_at=at) for n, at in enumerate(AROUND)])
    return world


def _shopify() -> Outside:
    world = shopify_world.empty()
    world.vendor.put_orders(world.store, [
        Order(
            shopify_world.order_id(n), shopify_world.PARIS, "", "EUR",
            (Line(shopify_world.line_id(n), shopify_world.variant(0), 2, 100, returned=1),), AROUND[0], at,
        )
        for n, at in enumerate(AROUND)
    ])
    return world


async def _ids(world: Outside, window: Window) -> list[str]:
    read = next(e for e in world.channel.endpoints if e.name == "orders").read
    return [row.id async for page in read(world.session, window) for row in page.rows]


@pytest.mark.parametrize("make", [_square, _shopify])
async def test_each_order_is_in_exactly_one_day(make: Callable[[], Outside]) -> None:
    world = make()
    daily = [
        await _ids(world, Window(since, until, is_closed=True))
        for since, until in zip(MIDNIGHTS, MIDNIGHTS[1:], strict=False)
    ]
    whole = await _ids(world, Window(MIDNIGHTS[0], MIDNIGHTS[-1], is_closed=True))
    assert Counter(key for ids in daily for key in ids) == Counter(dict.fromkeys(whole, 1))
    per_day = [len({key for key in ids if "/" not in key or "/Order/" in key}) for ids in daily]
    assert per_day == [4, 4, 4, 4], "midnight itself, a second later, noon, and the next midnight's last second"


@pytest.mark.parametrize("make", [_square, _shopify])
async def test_tonights_window_leaves_nothing_out_that_changes_meanwhile(make: Callable[[], Outside]) -> None:
    world = make()
    opened = await _ids(world, Window(MIDNIGHTS[0], MIDNIGHTS[1]))
    closed = await _ids(world, Window(MIDNIGHTS[0], MIDNIGHTS[1], is_closed=True))
    assert len(opened) > len(closed) > 0


def test_days_are_those_of_the_shops(tmp_path) -> None:
    (tmp_path / "estate.toml").write_text(
        '[estate]\nname = "x"\ntimezone = "Asia/Tokyo"\n[systems.square]\nbase_url = "http://x"\nshop_id = "1"\n'
    )
    there = Settings.read({"TRUEUP_ESTATE": str(tmp_path / "estate.toml"), "TRUEUP_ORDERS_FROM": "2026-02-01"})
    partitions = days(there)
    assert partitions.get_first_partition_key() == "2026-02-01"
    window = partitions.time_window_for_partition_key("2026-03-10")
    assert window.start.astimezone(UTC) == datetime(2026, 3, 9, 15, tzinfo=UTC)
    assert window.end - window.start == timedelta(days=1)


def test_only_days_that_are_over_can_be_read() -> None:
    def keys(at: datetime) -> str:
        return days(Settings.read({})).get_partition_keys(current_time=at)[-1]

    now = datetime(2026, 6, 10, 22, 30, tzinfo=UTC)
    assert keys(now) == "2026-06-10", "half past midnight of the 11th there"
    assert keys(now - timedelta(hours=1)) == "2026-06-09"


def test_a_first_day_that_is_none_stops_with_its_name() -> None:
    with pytest.raises(ConfigurationError, match="TRUEUP_ORDERS_FROM is '1.1.2026'"):
        days(Settings.read({"TRUEUP_ORDERS_FROM": "1.1.2026"}))


def test_a_backfill_is_one_run_and_has_no_step_that_writes() -> None:
    repository = build_defs().get_repository_def()
    node = repository.asset_graph.get(dg.AssetKey(["reads", "backfills"]))
    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert [node.name for node in repository.get_job("backfill_orders").nodes] == ["reads__backfills"]


@pytest.mark.night
def test_a_range_is_read_once_and_nothing_is_written(begun: PlayedEstate, copy: Copy) -> None:
    played = copy(begun)
    before = len(played.effects())
    span = {"dagster/asset_partition_range_start": "2026-06-08", "dagster/asset_partition_range_end": "2026-06-10"}
    with dg.DagsterInstance.ephemeral() as instance:
        ranged = run(played, "backfill_orders", instance, tags=span)
        assert ranged.success
        singles = [
            run(played, "backfill_orders", instance, partition=f"2026-06-{day:02}")
            for day in (8, 9, 10)
        ]
        key = dg.AssetKey(["reads", "backfills"])
        assert instance.get_materialized_partitions(key) == {"2026-06-08", "2026-06-09", "2026-06-10"}
    whole = told(ranged)["reads/backfills"]
    assert whole["days"] == 3
    assert whole["rows"] == sum(told(single)["reads/backfills"]["rows"] for single in singles) > 0
    assert len(played.effects()) == before
