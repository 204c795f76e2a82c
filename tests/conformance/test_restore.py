"""Taking back: what was written is put back whatever goes wrong, and nothing that somebody else did is written over."""

from dataclasses import replace

import pytest

from conformance.checks import CHECKS
from conformance.hands.hubspot import HubspotHands
from conformance.restore import restore
from conformance.run import run_checks
from conformance.targets import target
from conformance.verdicts import Check, Failed, Need, NotShown, Result, Verdict
from pipelines.channels.hubspot import HUBSPOT
from pipelines.channels.shopify import SHOPIFY
from pipelines.errors import AmbiguousWrite, FatalChannelError
from pipelines.model import OutcomeStatus
from sandbox.hubspot import HubspotVendor
from sandbox.shopify import ShopifyVendor
from tests.conformance.broken import forgetful, from_a_cache, reading, reading_back, writing
from tests.conformance.stand import bench_of


def check(name: str) -> Check:
    return next(one for one in CHECKS if one.name == name)


def prices(store, vendor=HubspotVendor):
    return sorted(tuple(map(str, row)) for row in vendor().observe_prices(store))


async def taken_back(bench, *work) -> Result:
    """What came of the taking back after this work; the work's own failures are beside the point here."""
    *_, back = await run_checks(bench, [Check("work", Need.WRITES, "", one) for one in work])
    await bench.close()
    assert back.check == "taken_back"
    return back


class Stubborn(HubspotHands):
    """Whose removals are refused, so often."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    async def remove(self, session, ids):
        if self.refusals:
            self.refusals -= 1
            raise FatalChannelError("no right to delete", system="hubspot", status=403)
        await super().remove(session, ids)


async def test_values_are_put_back_though_records_cannot_be_removed(world, tmp_path):
    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    before, bench.hands = prices(store), Stubborn(1_000)
    back = await taken_back(bench, check("abilities").run)
    assert prices(store) == before
    assert back.verdict is Verdict.FAILED
    assert "3 records of this run" in back.detail and "no right to delete" in back.detail
    assert "prices.amount" not in back.detail


async def test_what_is_left_of_values_and_of_records_is_told_together(world, tmp_path):
    bench, _ = bench_of(forgetful(HUBSPOT, "prices"), world, tmp_path / "copy.sqlite")
    bench.hands = Stubborn(1_000)
    back = await taken_back(bench, check("abilities").run)
    assert back.verdict is Verdict.FAILED
    assert "prices.amount of" in back.detail and "3 records of this run" in back.detail


async def test_a_removal_that_is_refused_once_is_tried_again(world, tmp_path):
    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    bench.hands = Stubborn(1)
    back = await taken_back(bench, check("abilities").run)
    assert back.verdict is Verdict.PASSED and "3 records made and removed" in back.detail
    assert not any("conformance" in customer.email for customer in HubspotVendor().observe_customers(store))


def unreadable(channel, name, times):
    """A channel of which one list is not believed the first `times` times that it is asked after `start`."""
    state = {"left": 0}

    def change(endpoint):
        async def read(session, window):
            if state["left"]:
                state["left"] -= 1
                raise FatalChannelError("the list ends early", system=channel.name)
            async for page in endpoint.read(session, window):
                yield page

        return read

    async def start(bench):
        state["left"] = times

    return reading(channel, name, change), start


@pytest.mark.parametrize("times", [1, 1_000], ids=["once", "for good"])
async def test_values_are_put_back_though_no_list_is_believed(world, tmp_path, times):
    channel, start = unreadable(HUBSPOT, "products", times)
    bench, store = bench_of(channel, world, tmp_path / "copy.sqlite")
    before = prices(store)
    back = await taken_back(bench, check("abilities").run, start)
    assert store.effects(origin="api"), "something was written"
    assert prices(store) == before
    assert back.verdict is Verdict.PASSED, back.detail


async def test_records_are_not_taken_for_removed_by_a_list_that_is_not_believed(world, tmp_path):
    channel, start = unreadable(HUBSPOT, "contacts", 1_000)
    bench, _ = bench_of(channel, world, tmp_path / "copy.sqlite")

    class Unheard(HubspotHands):
        async def make(self, session, persons):
            await super().make(session, persons)
            raise AmbiguousWrite("answer lost", system="hubspot")

    bench.hands = Unheard()

    async def half_made(bench):
        await bench.make(1)

    back = await taken_back(bench, half_made, start)
    assert back.verdict is Verdict.FAILED and "the list ends early" in back.detail


async def write_a_price(bench):
    await bench.stage_anew()
    writer = next(w for w in bench.channel.writers if w.entity == "prices")
    c = (await target(bench, writer, "amount")).correction(bench)
    assert (await bench.push([c]))[c.correction_key].status is OutcomeStatus.APPLIED
    return c


async def test_what_somebody_changed_meanwhile_is_left_to_them_and_named(world, tmp_path):
    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    written = []

    async def changed_by_somebody(bench):
        written.append(await write_a_price(bench))
        somebodys = {"properties": {written[0].vendor_sub_id: "1234.00"}}
        await bench.session.call("PATCH", f"crm/v3/objects/products/{written[0].vendor_id}", body=somebodys)

    back = await taken_back(bench, changed_by_somebody)
    assert any("123400" in row for row in prices(store))
    assert back.verdict is Verdict.FAILED
    assert f"prices.amount of {written[0].vendor_id}: neither" in back.detail


async def test_every_value_that_was_sent_is_known_for_ours(world, tmp_path):
    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    before = prices(store)

    async def twice(bench):
        await write_a_price(bench)
        await write_a_price(bench)
        assert len(bench.written) == 1 and bench.written[0].sent and len(bench.written[0].sent) == 2

    back = await taken_back(bench, twice)
    assert (back.verdict, prices(store)) == (Verdict.PASSED, before)


async def test_a_list_that_hides_what_was_written_hides_nothing_from_the_taking_back(world, tmp_path):
    channel = reading(SHOPIFY, "variants", from_a_cache)
    bench, store = bench_of(channel, world, tmp_path / "copy.sqlite")
    before = prices(store, ShopifyVendor)
    back = await taken_back(bench, check("abilities").run)
    assert prices(store, ShopifyVendor) == before
    assert back.verdict is Verdict.PASSED, back.detail


async def test_a_record_that_cannot_be_put_back_keeps_no_other_from_it(world, tmp_path):
    state = {"is_down": False}

    def before(c):
        if state["is_down"]:
            raise KeyError("anne@example.fr")
        return c

    bench, store = bench_of(writing(SHOPIFY, "items", before=before), world, tmp_path / "copy.sqlite", hands=False)
    prices_before = prices(store, ShopifyVendor)

    async def down(bench):
        state["is_down"] = True

    back = await taken_back(bench, check("abilities").run, down)
    assert prices(store, ShopifyVendor) == prices_before
    assert back.verdict is Verdict.FAILED
    assert "items.gtin of" in back.detail and "unknown_shape" in back.detail and "anne" not in back.detail
    assert "prices" not in back.detail and "stock" not in back.detail


async def test_a_value_that_is_listed_otherwise_than_it_is_read_by_id_is_not_written_over(world, tmp_path):
    channel = reading_back(HUBSPOT, "prices", lambda one: replace(one, value=f"{one.value}0"))
    bench, store = bench_of(channel, world, tmp_path / "copy.sqlite")
    with pytest.raises(Failed, match="prices.amount: read by id"):
        await write_a_price(bench)
    await bench.close()
    assert store.effects(origin="api") == []


async def test_no_real_person_is_ever_written_to(world, tmp_path):
    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    await bench.stage_anew()
    row = next(row for row in bench.rows("customers") if row["city"])
    with pytest.raises(Failed, match="never written"):
        await bench.push([bench.correction("customers", "city", row, "Nîmes")])
    await bench.close()
    assert store.effects(origin="api") == []


async def test_without_hands_no_field_of_a_person_has_a_place(world, tmp_path):
    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite", hands=False)
    for writer in HUBSPOT.writers:
        if writer.entity != "prices":
            with pytest.raises(NotShown, match="no real one is written to"):
                await target(bench, writer, sorted(writer.fields)[0])
    results = await run_checks(bench, [check("abilities"), check("lost_answer"), check("compare_and_set")])
    await bench.close()
    assert all("no real one is written to" in r.detail for r in results[:-1])
    written = {effect["field"] for effect in store.effects(origin="api")}
    assert written and all("price" in name for name in written)


def moving_together(channel):
    """A system where the price before a reduction moves with the price, as what is on hand does with what is free."""
    reader = next(r for r in channel.read_backs if r.entity == "prices")

    def changed(writer):
        async def write(session, corrections, key):
            outcomes = []
            for number, c in enumerate(corrections):
                other = replace(c, field="compare_at" if c.field == "amount" else "amount")
                (mine, beside) = await reader.read(session, [c, other])
                pair = [c]
                if beside.value:
                    moved = int(beside.value) + int(c.desired) - int(mine.value)
                    pair.append(replace(other, correction_key=f"{c.correction_key}-with", desired=str(moved)))
                outcomes.append((await writer.write(session, pair, f"{key}{number}"))[0])
            return outcomes

        return replace(writer, write=write)

    return replace(channel, writers=tuple(changed(w) if w.entity == "prices" else w for w in channel.writers))


async def test_what_moves_with_a_value_is_kept_before_and_is_as_it_was_after(world, tmp_path):
    bench, store = bench_of(moving_together(SHOPIFY), world, tmp_path / "copy.sqlite", hands=False)
    before = prices(store, ShopifyVendor)

    async def both(bench):
        for name in ("amount", "compare_at"):
            await bench.stage_anew()
            row = next(row for row in bench.rows("prices") if row["compare_at_minor"] is not None)
            held = row["amount_minor"] if name == "amount" else row["compare_at_minor"]
            c = bench.correction("prices", name, row, str(held + 7))
            assert (await bench.push([c]))[c.correction_key].status is OutcomeStatus.APPLIED
        assert prices(store, ShopifyVendor) != before
        amount, compare_at = sorted(bench.written, key=lambda one: one.first.field)
        assert (amount.first.base, compare_at.first.base) == held_before, "of both, before either was written"

    held_before = next((row[3], row[4]) for row in before if row[4] != "None")
    back = await taken_back(bench, both)
    assert prices(store, ShopifyVendor) == before
    assert back.verdict is Verdict.PASSED, back.detail


async def test_a_record_that_is_gone_is_named(world, tmp_path):
    state = {"is_gone": False}

    def change(one):
        return replace(one, exists=not state["is_gone"])

    bench, _ = bench_of(reading_back(HUBSPOT, "prices", change), world, tmp_path / "copy.sqlite", hands=False)

    async def gone(bench):
        await write_a_price(bench)
        state["is_gone"] = True

    back = await taken_back(bench, gone)
    assert back.verdict is Verdict.FAILED and "not found by its id" in back.detail


async def test_nothing_is_taken_back_where_nothing_was_written(world, tmp_path):
    bench, store = bench_of(HUBSPOT, world, tmp_path / "copy.sqlite")
    assert await restore(bench) == "nothing of anybody's was written, 0 records made and removed"
    await bench.close()
    assert store.effects(origin="api") == []
