"""No check of the kit passes whatever comes: each is shown a connector or a server that is broken in its way."""

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.checks import CHECKS
from conformance.hands.hubspot import HubspotHands
from conformance.run import run_checks
from conformance.verdicts import Check, Need, Result, Verdict
from pipelines.channels.hubspot import HUBSPOT
from pipelines.channels.shopify import SHOPIFY
from pipelines.errors import AmbiguousWrite, FatalChannelError
from pipelines.model import OutcomeStatus
from sandbox.hubspot import HubspotVendor
from tests.conformance.broken import BROKEN, Broken, forgetful, told, writing
from tests.conformance.stand import bench_of, small_pages


def check(name: str) -> Check:
    return next(one for one in CHECKS if one.name == name)


async def results_of(broken: Broken, world: Path, folder: Path, name: str) -> list[Result]:
    bench, _ = bench_of(broken.channel, world, folder / "copy.sqlite", wrap=broken.wrap)
    results = await run_checks(bench, [check(name)])
    await bench.close()
    return results


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.check}: {broken.what}")
async def test_a_check_sees_what_is_broken(broken, world, tmp_path, monkeypatch):
    small_pages(broken.channel.name, monkeypatch)
    found, *_ = await results_of(broken, world, tmp_path, broken.check)
    assert (found.check, found.verdict) == (broken.check, broken.verdict), found.detail
    assert broken.says in found.detail


async def test_what_comes_in_one_page_is_said_to_show_nothing_of_pages(world, tmp_path):
    """Shopify's bulk files have none."""
    bench, _ = bench_of(SHOPIFY, world, tmp_path / "copy.sqlite")
    caps, change, *_ = await run_checks(bench, [check("page_caps"), check("under_change")])
    await bench.close()
    assert caps.verdict is change.verdict is Verdict.PASSED
    shown, _, rest = caps.detail.partition("; not shown: no smaller pages at ")
    untried = set(rest.split(", "))
    assert {"variants", "customers", "orders"} <= untried
    assert untried.isdisjoint(one.split()[0] for one in shown.split(", "))
    assert len(untried) + len(shown.split(", ")) == len(SHOPIFY.endpoints)
    assert "in 1 page, which cannot move; delta" in change.detail


def test_every_check_is_shown_something_broken():
    assert {one.check for one in BROKEN if one.verdict is Verdict.FAILED} == {one.name for one in CHECKS}


async def test_what_cannot_be_put_back_is_told(world, tmp_path):
    channel = forgetful(HUBSPOT, "prices")
    broken = Broken("taken_back", "never puts a price back", channel, "")
    _, back = await results_of(broken, world, tmp_path, "lost_answer")
    assert (back.check, back.verdict) == ("taken_back", Verdict.FAILED)
    assert "prices.amount" in back.detail


async def test_values_are_put_back_though_a_check_fails_or_is_interrupted(world, tmp_path):
    async def interrupted(bench):
        await check("abilities").run(bench)
        raise KeyboardInterrupt

    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    assert store is not None
    prices = sorted(await observed(store))
    with pytest.raises(KeyboardInterrupt):
        await run_checks(bench, [Check("interrupted", Need.WRITES, "", interrupted)])
    assert sorted(await observed(store)) == prices
    assert store.effects(origin="api"), "something was written before"
    assert bench.made == {}


async def observed(store):
    return [tuple(map(str, row)) for row in HubspotVendor().observe_prices(store)]


async def test_a_record_of_whose_making_nobody_heard_is_removed_too(world, tmp_path):
    async def half_made(bench):
        hands, make = bench.need_hands(), HubspotHands.make

        async def lost(session, persons):
            await make(hands, session, persons)
            raise AmbiguousWrite("answer lost", system="hubspot")

        bench.hands = replace_method(hands, lost)
        await bench.make(2)

    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    told = []
    results = await run_checks(bench, [Check("half made", Need.HANDS, "", half_made)], taken_back=told.append)
    listed = {customer.email for customer in HubspotVendor().observe_customers(store)}
    await bench.close()
    assert [r.verdict for r in results] == [Verdict.FAILED, Verdict.PASSED]
    assert told == [results[-1]] and "2 records made and removed" in told[0].detail
    assert store is not None and store.effects(origin="api"), "they were made"
    assert not any("conformance" in email for email in listed)


def replace_method(hands, make):
    """The same hands, making otherwise."""

    class Lost(HubspotHands):
        async def make(self, session, persons):
            return await make(session, persons)

    return Lost()


async def test_an_error_nobody_foresaw_is_a_failure_without_its_values(world, tmp_path):
    async def strange(bench):
        raise KeyError("anne@example.fr")

    async def refused(bench):
        raise FatalChannelError("no such call", system="hubspot", status=404)

    bench, _ = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite", write=False)
    checks = [Check("strange", Need.READS, "", strange), Check("refused", Need.READS, "", refused)]
    first, second = await run_checks(bench, checks)
    await bench.close()
    assert first.verdict is second.verdict is Verdict.FAILED
    assert "anne" not in first.detail and "KeyError in test_checks_can_fail.py" in first.detail
    assert "no such call" in second.detail


async def test_what_several_checks_need_is_done_once_and_its_failure_told_by_each(world, tmp_path):
    channel = writing(HUBSPOT, "customers", after=told(OutcomeStatus.REJECTED))
    bench, store = bench_of(channel, world, tmp_path / "copy.sqlite")
    results = await run_checks(bench, [check("abilities"), check("read_back")])
    await bench.close()
    assert store is not None
    assert [r.verdict for r in results[:2]] == [Verdict.FAILED, Verdict.PASSED], "the value is there all the same"
    changed = [e for e in store.effects(origin="api") if (e["field"], e["after"]) == ("city", "Saint-Étienne")]
    assert len(changed) == 1


def test_a_check_needs_what_it_says():
    assert {one.need for one in CHECKS} == set(Need)
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    assert all(one.shows and replace(one) == one for one in CHECKS)
