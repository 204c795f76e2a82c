"""Every system of `CHANNELS` passes the kit, reading alone and writing; and the kit leaves everything as it was."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from conformance.bench import Bench
from conformance.checks import CHECKS
from conformance.hands import Person, hands_of
from conformance.run import has_failed, run_checks
from conformance.verdicts import Need, Result, Verdict
from pipelines.channels import CHANNELS
from pipelines.channels.base import Channel
from pipelines.channels.files import FILES
from pipelines.estate import read_estate
from sandbox.app import load_vendors
from tests.channels.harness import StillStore, outside
from tests.conformance.folder import Shop, ShopHands, folder_bench
from tests.conformance.stand import bench_of, shown_in, small_pages
from tests.described.vendors import described

PLAYED = [channel for channel in CHANNELS if channel.name in load_vendors()]


def values(store: StillStore | None, bench: Bench) -> dict[str, Any]:
    """All that the judge sees of one system, or that the owner of a folder knows."""
    if store is None:
        return deepcopy(bench.hands.shop.rows) if isinstance(bench.hands, ShopHands) else {}
    vendor = load_vendors()[bench.channel.name]
    return {
        "prices": sorted(vendor.observe_prices(store), key=str), "stock": sorted(vendor.observe_stock(store), key=str),
        # When a permission was said to have changed is, for some, the time of the last edit of anything.
        "customers": sorted(
            (replace(c, consent=replace(c.consent, at=None)) for c in vendor.observe_customers(store)), key=str
        ),
    }


def words(results: list[Result]) -> dict[str, str]:
    return {result.check: result.detail for result in results if result.verdict is Verdict.FAILED}


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
async def test_a_system_does_what_it_declares(channel, world, tmp_path, monkeypatch):
    small_pages(channel.name, monkeypatch)
    bench, store = bench_of(channel, world, tmp_path / "copy.sqlite")
    before = values(store, bench)
    results = await run_checks(bench)
    await bench.close()
    assert words(results) == {}
    assert not has_failed(results)
    assert [result.check for result in results] == [*(check.name for check in CHECKS), "taken_back"]
    assert values(store, bench) == before, "all is as it was"
    shown = {result.check for result in results if result.verdict is Verdict.PASSED}
    if store is not None or isinstance(bench.hands, ShopHands):
        assert shown - {"taken_back"} == shown_in(channel, bench.hands)


@pytest.mark.parametrize("channel", PLAYED, ids=lambda channel: channel.name)
async def test_without_leave_to_write_nothing_is_written(channel, world, tmp_path):
    bench, store = bench_of(channel, world, tmp_path / "copy.sqlite", write=False)
    results = await run_checks(bench)
    await bench.close()
    assert store is not None and store.effects(origin="api") == []
    assert words(results) == {}
    dry = {check.name for check in CHECKS if not check.need.writes}
    assert {r.check for r in results if "--write" in r.detail} == {check.name for check in CHECKS} - dry
    assert all(r.verdict is Verdict.NOT_SHOWN for r in results if r.check not in dry)


@pytest.mark.parametrize("channel", PLAYED, ids=lambda channel: channel.name)
async def test_without_hands_a_check_that_needs_them_is_not_shown(channel, world, tmp_path):
    bench, store = bench_of(channel, world, tmp_path / "copy.sqlite", hands=False)
    before = values(store, bench) if store else {}
    results = await run_checks(bench, [one for one in CHECKS if one.need is not Need.READS])
    await bench.close()
    assert words(results) == {}
    needy = {check.name for check in CHECKS if check.need.asks_hands}
    assert {r.check for r in results if r.verdict is Verdict.PASSED} & needy == set()
    assert store is not None and values(store, bench) == before, "values of others are put back"


WRITING = {"abilities", "read_back", "echo", "silent_changes", "compare_and_set", "partial_failure", "hostile_text"}


def test_requests_are_to_be_shown_where_somebody_carries_them_out():
    """By the run of all checks above, which holds every system to this."""
    shown = shown_in(FILES, ShopHands(Shop()))
    assert shown >= WRITING and shown.isdisjoint({"lost_answer", "rate_limits", "filter", "cursor"})


async def test_a_request_that_nobody_carries_out_is_not_made(world, monkeypatch):
    """It would lie there with a made-up value when the run is long over."""
    small_pages("files", monkeypatch)
    bench = folder_bench(FILES, read_estate(world / "estate.toml"), write=True, hands=True, imports=False)
    before = values(None, bench)
    results = {result.check: result for result in await run_checks(bench)}
    await bench.close()
    assert words(list(results.values())) == {}
    assert {results[name].verdict for name in WRITING} == {Verdict.NOT_SHOWN}
    assert values(None, bench) == before
    assert not bench.hands.shop.exists("out")


async def test_a_folder_is_not_written_to_without_leave(world):
    bench = folder_bench(FILES, read_estate(world / "estate.toml"), write=False, hands=True)
    held = {name: bench.hands.shop.cat_file(name) for name in bench.hands.shop.find("")}
    results = await run_checks(bench)
    await bench.close()
    assert words(results) == {}
    assert {name: bench.hands.shop.cat_file(name) for name in bench.hands.shop.find("")} == held


@pytest.mark.parametrize("channel", [c for c in PLAYED if hands_of(c.name)], ids=lambda channel: channel.name)
async def test_hands_use_the_vendors_api_as_it_is_described(channel):
    """Every call and answer is held against the vendor's description; what is removed is gone."""
    side = empty(channel)
    hands = hands_of(channel.name)
    assert hands is not None
    persons = [Person(number, "7f001", hands.can_opt_in) for number in range(3)]
    ids = await hands.make(side.session, persons)
    await hands.edit(side.session, ids[:1], "Dominique")
    rows = {row.id: row for row in await side.rows(hands.endpoint)}
    assert set(ids) <= rows.keys()
    assert b"Dominique" in rows[ids[0]].payload and b"Camille" in rows[ids[1]].payload
    assert all(person.email.encode() in rows[key].payload for key, person in zip(ids, persons, strict=True))
    await hands.remove(side.session, ids[:2])
    await hands.remove(side.session, ids[:2])
    assert {row.id for row in await side.rows(hands.endpoint)} & set(ids) == {ids[2]}
    if described(channel.name) is not None:
        assert side.transport.checked >= 6


def empty(channel: Channel):
    """One vendor with its places alone."""
    from sandbox.world.places import places_of
    from tests.channels.harness import EPOCH
    from tests.conformance.stand import SIZES

    side = outside(load_vendors()[channel.name], channel, channel.secrets[0])
    side.vendor.put_places(side.store, places_of(channel.name, SIZES), EPOCH)
    return side
