"""An answer of a shape that nobody foresaw is an error of its system: the night goes on, and no value is told (R12)."""

import logging
from decimal import Decimal

import httpx
import msgspec
import pytest

from pipelines.channels.foreseen import STRANGE, foreseen
from pipelines.errors import AmbiguousWrite, CredentialError, FatalChannelError
from pipelines.http import Session
from pipelines.model import Outcome, OutcomeStatus
from pipelines.push import settle_unknown
from tests.plan.vendor import Crash
from tests.test_extract import NoLimit
from tests.test_push import clock as clock
from tests.test_push import outcomes, plan, prices, push, vendor_for
from tests.test_push import world as world
from tests.test_verify import verdicts, verify


async def stumble(over):
    match over:
        case "a field that is gone":
            return {}["quantities"]
        case "a list that is empty":
            return [][0]
        case "a text for an object":
            return over["quantities"]
        case "nothing for an object":
            return {}.get("quantities").get("name")
        case "a word for a number":
            return int("somebody@example.org")
        case "a word for an amount":
            return Decimal("somebody@example.org")
        case "bytes that are no JSON":
            return msgspec.json.decode(b"<html>somebody@example.org</html>", type=dict)


@pytest.mark.parametrize("over", [
    "a field that is gone", "a list that is empty", "a text for an object", "nothing for an object",
    "a word for a number", "a word for an amount", "bytes that are no JSON",
])
async def test_whatever_it_stumbles_over_is_an_error_of_the_channel_that_tells_no_value(over, caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(FatalChannelError, match=r"unknown shape .* line \d+") as caught:
        await foreseen(stumble, FatalChannelError)(over)
    assert caught.value.__suppress_context__ and "example.org" not in f"{caught.value} {caplog.text}"


@pytest.mark.parametrize("error", [CredentialError("401"), Crash(), AssertionError("a test"), OSError("disk")])
async def test_every_other_error_goes_its_way(error):
    async def call():
        raise error

    with pytest.raises(type(error)) as caught:
        await foreseen(call, AmbiguousWrite)()
    assert caught.value is error and not isinstance(error, STRANGE)


@pytest.mark.parametrize("value", [{"value": "1100"}, ["1100"], 1100, True])
async def test_a_value_that_is_no_text_is_an_unknown_shape(world, clock, value):
    with pytest.raises(TypeError, match="where text is due"):
        Outcome("k", OutcomeStatus.APPLIED, version_after=value)
    plan_id = plan(world, clock, *prices(2), *prices(2, "hubspot"))
    vendor = vendor_for(world, plan_id, clock, needs_check=True)
    vendor.values = dict.fromkeys(vendor.values, value)
    report = await push(world, plan_id, clock, vendor, vendor_for(world, plan_id, clock, "hubspot"))
    assert "unknown shape (TypeError" in report.systems["shopify"].stopped and vendor.effects == []
    assert report.systems["hubspot"].counts == {"applied": 2}


async def test_a_fault_of_ours_while_a_call_is_carried_is_told_as_one(clock):
    def broken(request):
        raise TypeError("a fault of ours")

    session = Session(
        system="hubspot", base_url="http://shop.test", headers={}, limiter=NoLimit(), judge=lambda answer: None,
        clock=clock, transport=httpx.MockTransport(broken),
    )
    with pytest.raises(TypeError, match="a fault of ours"):
        await foreseen(session.get, FatalChannelError)("/page")


async def test_of_a_call_that_is_wrapped_again_the_first_word_stands():
    """A channel that serves as less than it can be is made anew (`in_roles`), and its functions with it."""
    with pytest.raises(FatalChannelError):
        await foreseen(foreseen(stumble, FatalChannelError), AmbiguousWrite)("a field that is gone")


@pytest.mark.parametrize("has_key", [True, False], ids=["with a key", "without"])
async def test_what_a_write_did_whose_answer_cannot_be_made_out_is_read_back(world, clock, has_key):
    plan_id = plan(world, clock, *prices(3))
    vendor = vendor_for(world, plan_id, clock, faults={1: "strange_after"}, has_key=has_key)
    report = await push(world, plan_id, clock, vendor)
    assert set(vendor.values.values()) == {"1100"}
    assert len(vendor.effects) == 3, "nothing was done twice"
    assert report.systems["shopify"].counts == {"applied": 3}


@pytest.mark.parametrize("has_key", [True, False], ids=["with a key", "without"])
async def test_the_row_over_which_a_writer_stumbles_is_refused_alone(world, clock, has_key):
    plan_id = plan(world, clock, *prices(30))
    vendor = vendor_for(world, plan_id, clock, stumbles=frozenset({"v007"}), has_key=has_key)
    report = await push(world, plan_id, clock, vendor)
    assert report.systems["shopify"].counts["applied"] == 29 and len(vendor.effects) == 29
    assert outcomes(world)["v007"] == ("rejected", "unknown_shape"), "so it is parked in the end (R13)"
    assert not report.systems["shopify"].stopped


async def test_the_other_systems_are_written_and_what_cannot_be_read_has_no_known_end(world, clock):
    plan_id = plan(world, clock, *prices(2), *prices(2, "hubspot"))
    strange = vendor_for(world, plan_id, clock, faults={1: "strange_after"}, has_key=False, is_strange=True)
    hubspot = vendor_for(world, plan_id, clock, "hubspot")
    try:
        report = await push(world, plan_id, clock, strange, hubspot)
    except KeyError:
        pytest.fail("one system's answer broke the night of all")
    assert report.systems["hubspot"].counts == {"applied": 2}
    assert set(outcomes(world).values()) >= {("unknown", "no_answer")}
    assert await verify(world, plan_id, clock, strange, hubspot) == {
        "shopify": {"unconfirmed": 2}, "hubspot": {"confirmed": 2},
    }
    strange.is_strange = False
    assert await settle_unknown(world, {"shopify": strange.session()}, clock=clock) == {"applied": 2}


async def test_a_last_look_that_cannot_be_made_out_stops_its_system_before_it_writes(world, clock):
    plan_id = plan(world, clock, *prices(2))
    vendor = vendor_for(world, plan_id, clock, needs_check=True, is_strange=True)
    report = await push(world, plan_id, clock, vendor)
    assert vendor.effects == [] and report.systems["shopify"].counts == {"skipped": 2}
    assert "unknown shape (KeyError in plan/vendor.py line" in report.systems["shopify"].stopped
    assert verdicts(world) == {}
