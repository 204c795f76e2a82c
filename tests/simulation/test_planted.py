"""The simulation sees what it is made for: a guard is taken out of the pipeline, and the invariant behind it breaks."""

import random
from dataclasses import replace
from typing import Any

import httpx
import pytest

from pipelines.channels import mailchimp
from pipelines.channels.shopify import write_stock
from pipelines.ledger.lease import Lease
from pipelines.model import Outcome, OutcomeStatus
from pipelines.push.send import SystemPush
from sandbox.records import Consent
from tests.simulation import checker
from tests.simulation.faults import Weather
from tests.simulation.hands import Hands
from tests.simulation.network import Call, Clear, Wire
from tests.simulation.second import Second

pytestmark = [pytest.mark.night, pytest.mark.long]


def kinds(violations):
    return {violation.kind for violation in violations}


def test_a_name_that_is_sent_with_a_permission(lived, monkeypatch):
    estate = lived()
    named = {row.vendor_id for row in estate.truth_now() if (row.system, row.entity) == ("mailchimp", "customers")}
    vendor, at = estate.vendors["mailchimp"], estate.time.now()
    members = [one for one in vendor.observe_customers(estate.store) if one.key in named]
    vendor.put_customers(estate.store, [replace(one, consent=Consent("pending", at)) for one in members], at, log=True)
    real = mailchimp.writes._batch

    async def opts_in(session: Any, corrections: Any, rows: Any, **how: Any) -> Any:
        spoilt = [{**one, "status": "subscribed"} if "merge_fields" in one else one for one in rows]
        return await real(session, corrections, spoilt, **how)

    monkeypatch.setattr(mailchimp.writes, "_batch", opts_in)
    assert "consent raised" in kinds(checker.of_a_run(estate.run()))


def test_a_level_that_is_taken_off_twice(lived, monkeypatch):
    """A lost answer after which the difference is sent again, as a difference."""
    real = write_stock.write_stock

    async def twice(session: Any, corrections: Any, key: str) -> Any:
        await real(session, corrections, key)
        off = [replace(c, observed=c.desired, desired=str(2 * int(c.desired) - int(c.observed))) for c in corrections]
        return await real(session, off, key[::-1])

    _write_by(monkeypatch, "shopify", "stock", twice)
    assert "doubled effect" in kinds(checker.of_a_run(lived().run()))


class Reach(Clear):
    """Somebody sells the last thing that a call is about, just before the vendor takes it."""

    def __init__(self, hands: Hands, system: str) -> None:
        self.hands, self.system = hands, system

    async def before(self, wire: Wire, call: Call, request: httpx.Request) -> httpx.Response | None:
        if call.system == self.system and b"inventorySetQuantities" in call.body and self.hands.rows:
            rows, self.hands.rows = self.hands.rows, []
            for row in rows:
                if row.system == self.system and row.entity == "stock":
                    self.hands._change(wire, row, call)
        return None


def test_a_write_that_does_not_compare(lived, monkeypatch):
    estate = lived()
    hands = Hands(random.Random(1), 1.0, vendors=estate.vendors, touched=estate.touched)

    def on_step(step: str, wire: Wire) -> None:
        hands.rows = estate.runs[-1].truth if step == "push" else []

    real = write_stock.write_stock

    async def forces(session: Any, corrections: Any, key: str) -> Any:
        level = {one[:2]: one[3] for one in estate.vendors["shopify"].observe_stock(estate.store)}
        seen = [replace(c, observed=str(max(0, level[c.vendor_id, c.vendor_sub_id] - 1))) for c in corrections]
        return await real(session, seen, key)

    weather = Weather([Reach(hands, "shopify")])
    assert "newer value overwritten" not in kinds(checker.of_a_run(estate.run(weather, on_step=on_step)))
    estate = lived()
    hands.vendors, hands.touched = estate.vendors, estate.touched
    _write_by(monkeypatch, "shopify", "stock", forces)
    assert "newer value overwritten" in kinds(checker.of_a_run(estate.run(weather, on_step=on_step)))


def test_a_price_that_is_a_cent_off(lived, monkeypatch):
    from pipelines.channels.hubspot import writes

    real = writes._price_property
    monkeypatch.setattr(writes, "_price_property", lambda c: real(replace(c, desired=str(int(c.desired) + 1))))
    assert "wrong value" in kinds(checker.of_a_run(lived().run()))


def test_corrections_that_are_said_to_be_written(lived, monkeypatch):
    estate = lived()

    async def claims(self: SystemPush, writer: Any, batch: Any) -> list[Outcome]:
        return [Outcome(c.correction_key, OutcomeStatus.APPLIED) for c in batch.corrections]

    monkeypatch.setattr(SystemPush, "_write", claims)
    run = estate.run()
    from sandbox.world.values import values_now

    scene = estate.scene()
    assert "lost correction" in kinds(checker.lost(run.truth, values_now(scene.shelves, scene.look(), run.truth)))
    assert "no convergence" in kinds(checker.converged([run]))


@pytest.mark.parametrize("is_fenced", [True, False])
def test_a_run_that_wakes_up_after_another_took_its_place(lived, monkeypatch, *, is_fenced):
    """It stood still while it read back what it was about to write: the lease is asked before that call too."""
    estate = lived()
    second = Second(random.Random(1), 1.0, estate=estate, how="after its time", at=10**9)

    class BeforeTheWrite(Clear):
        async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
            if is_pushing and call.system == "hubspot" and call.path.endswith("products/batch/read"):
                second.at = min(second.at, call.number)
            return answer

    is_pushing: list[bool] = []
    if not is_fenced:  # the lease is asked by the pusher, by each session, and where bytes leave: nobody hears of it
        monkeypatch.setattr(Lease, "check", lambda self: None)
    run = estate.run(
        Weather([BeforeTheWrite(), second]),
        on_step=lambda step, wire: is_pushing.append(True) if step == "push" else None,
    )
    assert run.taken_over_at
    assert not is_fenced or type(run.error).__name__ == "LeaseHeld"
    assert ("written by a zombie" in kinds(checker.zombie(run))) is not is_fenced


def _write_by(monkeypatch: pytest.MonkeyPatch, system: str, entity: str, write: Any) -> None:
    """Another writer of one entity, for the channel of one system."""
    import tests.simulation.estate as played

    def other(channel: Any) -> Any:
        writers = tuple(replace(w, write=write) if w.entity == entity else w for w in channel.writers)
        return replace(channel, writers=writers) if channel.name == system else channel

    monkeypatch.setattr(played, "CHANNELS", [other(channel) for channel in played.CHANNELS])
