"""A credential that is refused and a system that is down, told apart by every connector that the sandbox plays."""

from contextlib import nullcontext

import pytest

from pipelines.channels import CHANNELS
from pipelines.errors import CredentialError, RetriableChannelError
from sandbox.app import load_vendors
from sandbox.vendor import Settings
from tests.channels.harness import outside

VENDORS = load_vendors()
IN_HTML = {"woocommerce": "a shop under maintenance answers in HTML"}


@pytest.mark.parametrize("channel", [c for c in CHANNELS if c.name in VENDORS], ids=lambda channel: channel.name)
async def test_a_refused_credential_and_an_outage_are_told_apart(channel):
    system = frozenset({channel.name})
    for settings, kind in (
        (Settings(refuses=system), CredentialError), (Settings(token="another"), CredentialError),
        (Settings(is_down=system), RetriableChannelError),
    ):
        world = outside(VENDORS[channel.name], channel, channel.secrets[0], settings=settings)
        says = IN_HTML.get(channel.name) if settings.is_down else None
        with world.transport.deviating(says) if says else nullcontext(), pytest.raises(kind):
            await channel.identify(world.session)
        assert (world.session.counters.retries > 0) == (kind is RetriableChannelError)
