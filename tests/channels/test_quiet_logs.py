"""No log record of ours or of the HTTP library holds a credential or a person's address."""

import logging
from hashlib import md5

import pytest

from pipelines.channels import CHANNELS
from sandbox.app import load_vendors
from sandbox.records import Consent, Customer
from sandbox.vendor import Place, Settings
from tests.channels.harness import EPOCH, outside

TOKEN, EMAIL = "sesame-4711", "anne.secret@example.fr"
_PLACES = {
    "square": Place("LPARIS", "Paris", "location"),
    "shopify": Place("gid://shopify/Location/90000000", "Paris", "location"),
    "hubspot": Place("318273641", "Lettre", "subscription"),
    "mailchimp": Place("a1b2c3d4e5", "Lettre", "audience"),
}
_KEYS = {"square": "C1", "shopify": "gid://shopify/Customer/6000000001", "hubspot": "5001", "mailchimp": ""}


@pytest.mark.parametrize("channel", [c for c in CHANNELS if c.name in _PLACES], ids=lambda channel: channel.name)
async def test_logs_hold_no_credential_and_no_address(channel, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    vendor, name = load_vendors()[channel.name], channel.name
    [secret] = channel.secrets
    world = outside(vendor, channel, secret, settings=Settings(token=TOKEN), token=TOKEN)
    vendor.put_places(world.store, [_PLACES[name]], EPOCH)
    key = _KEYS[name] or md5(EMAIL.encode(), usedforsecurity=False).hexdigest()
    person = Customer(key=key, first_name="Anne", last_name="Secret", email=EMAIL, consent=Consent("yes", EPOCH))
    vendor.put_customers(world.store, [person], EPOCH)
    logging.getLogger("pipelines.tests").debug("the capture works")
    await channel.identify(world.session)
    for endpoint in channel.endpoints:
        await world.rows(endpoint.name)
    context = {"email": EMAIL, "list_id": _PLACES[name].key}
    asked = world.correction("consents", "state", key, "no", sub=_PLACES[name].key, context=context)
    await world.read_back("consents", [asked])
    assert len(world.transport.exchanges) > 3
    said = [f"{record.name} {record.getMessage()} {record.exc_info or ''}" for record in caplog.records]
    assert "the capture works" in " ".join(said)
    assert [line for line in said if TOKEN in line or EMAIL in line or "anne.secret" in line.lower()] == []
