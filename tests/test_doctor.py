"""What doctor says of scopes: missing ones fail, missed or superfluous ones are warned of, every app's are nothing."""

from dataclasses import replace

import pytest

from pipelines.channels import CHANNELS
from pipelines.channels.base import Endpoint
from pipelines.doctor import _scopes, examine
from tests.plan.vendor import FakeVendor
from tests.plan.world import VirtualClock

BY_NAME = {channel.name: channel for channel in CHANNELS}


@pytest.mark.parametrize(("system", "more", "level", "words"), [
    ("shopify", {"read_all_orders"}, "ok", "all granted"),
    ("shopify", set(), "warning", "not granted: read_all_orders (orders older than 60 days"),
    ("shopify", {"read_all_orders", "write_themes"}, "warning", "more than needed: write_themes"),
    ("hubspot", {"oauth"}, "ok", "all granted"),
    ("hubspot", set(), "ok", "all granted"),
    ("hubspot", {"oauth", "tickets"}, "warning", "more than needed: tickets"),
    ("mailchimp", set(), "ok", "0 needed"),
    ("brevo", set(), "ok", "0 needed"),
])
def test_scopes_are_judged_by_what_they_are_for(system, more, level, words):
    channel = BY_NAME[system]
    found = _scopes(channel, channel.needed_scopes | more)
    assert (found.level, words in found.detail) == (level, True), found


def test_a_missing_scope_is_a_failure_whatever_else_is_granted():
    found = _scopes(BY_NAME["shopify"], BY_NAME["shopify"].needed_scopes - {"read_orders"})
    assert (found.level, found.detail) == ("failure", "missing: read_orders")


class Session:
    """What the doctor touches of one."""

    clock, base_url, skew = VirtualClock(), "http://127.0.0.1/shop", None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        return None


async def test_an_answer_of_an_unknown_shape_is_a_finding_that_names_the_line_and_no_value(monkeypatch):
    async def read(session, window):
        raise KeyError("somebody@example.org")
        yield

    async def broken(channel, session, estate):
        async for _ in read(session, None):
            yield

    monkeypatch.setattr("pipelines.doctor._examine", broken)
    locations = Endpoint("locations", ("stock",), read)
    channel = replace(FakeVendor("square", VirtualClock()).channel(), endpoints=(locations,))
    (found,) = await examine([(channel, Session())], None)
    assert (found.check, found.level) == ("answers", "failure")
    assert "unknown shape (KeyError in tests/test_doctor.py line" in found.detail and "example.org" not in found.detail
    assert "http://127.0.0.1/shop" in found.cure
