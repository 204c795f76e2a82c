"""What doctor says of scopes: missing ones fail, missed or superfluous ones are warned of, every app's are nothing."""

import pytest

from pipelines.channels import CHANNELS
from pipelines.doctor import _scopes

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
