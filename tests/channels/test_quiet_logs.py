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
    "brevo": Place("7", "Lettre", "audience"),
    "woocommerce": Place("shop", "Boutique", "location"),
}
_KEYS = {
    "square": "C1", "shopify": "gid://shopify/Customer/6000000001", "hubspot": "5001", "mailchimp": "", "brevo": "5",
    "woocommerce": "1",
}
"""Of the systems that are particular about them; any other takes 1."""


PLAYED = [channel for channel in CHANNELS if channel.name in load_vendors()]
"""The systems that the sandbox plays; the others' own tests look at their logs."""


@pytest.mark.parametrize("channel", PLAYED, ids=lambda channel: channel.name)
async def test_logs_hold_no_credential_and_no_address(channel, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "oauthlib"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    vendor, name = load_vendors()[channel.name], channel.name
    world = outside(vendor, channel, channel.secrets[0], settings=Settings(token=TOKEN), token=TOKEN)
    place = _PLACES.get(name, Place("1", "Lettre", "audience"))
    vendor.put_places(world.store, [place], EPOCH)
    key = _KEYS.get(name, "1") or md5(EMAIL.encode(), usedforsecurity=False).hexdigest()
    person = Customer(key=key, first_name="Anne", last_name="Secret", email=EMAIL, consent=Consent("yes", EPOCH))
    vendor.put_customers(world.store, [person], EPOCH)
    logging.getLogger("pipelines.tests").debug("the capture works")
    await channel.identify(world.session)
    for endpoint in channel.endpoints:
        await world.rows(endpoint.name)
        if endpoint.count is not None:
            await endpoint.count(world.session)
    # By the permission, which some vendors are asked by address; a system without any, by a field.
    field, entity = ("state", "consents") if "consents" in channel.entities else ("last_name", "customers")
    context = {"email": EMAIL, "list_id": place.key}
    asked = world.correction(entity, field, key, "no", sub=place.key if field == "state" else "", context=context)
    await world.read_back(entity, [asked])
    if channel.name == "woocommerce":  # the one vendor that is asked by address, in a query that is signed
        await world.session.get("wp-json/wc/v3/customers", params={"email": EMAIL})
    assert len(world.transport.exchanges) > 3
    said = [f"{record.name} {record.getMessage()} {record.exc_info or ''}" for record in caplog.records]
    assert "the capture works" in " ".join(said)
    assert [line for line in said if TOKEN in line or EMAIL in line or "anne.secret" in line.lower()] == []
