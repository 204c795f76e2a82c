"""The check of silent changes writes each field to a record of its own: one level's two numbers move together."""

from types import SimpleNamespace

import pytest

from conformance.checks import gone
from conformance.verdicts import NotShown
from pipelines.channels.odoo import ODOO
from pipelines.channels.vendure import VENDURE


@pytest.mark.parametrize("channel", [ODOO, VENDURE], ids=lambda channel: channel.name)
async def test_on_hand_and_available_are_not_tried_on_one_level(monkeypatch, channel):
    tried: list[tuple[str, str, int]] = []

    async def target(bench, writer, name, *, place):
        tried.append((writer.entity, name, place))
        raise NotShown("noted")

    monkeypatch.setattr(gone, "target", target)
    with pytest.raises(NotShown):
        await gone.silent(SimpleNamespace(channel=channel))
    assert {(entity, name) for entity, name, _ in tried} == {
        ("consents", "state"), ("stock", "available"), ("stock", "on_hand"),
    }
    assert {(entity, place) for entity, _, place in tried} == {("consents", 1), ("stock", 1), ("stock", 2)}
