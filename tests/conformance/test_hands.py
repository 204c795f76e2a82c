"""The hands of systems that the sandbox does not play: what they send, and how they tell a write from a read."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from conformance.hands import Person, hands_of, write_test
from pipelines.channels.base import Channel, Connection
from pipelines.channels.odoo import ODOO
from pipelines.channels.vendure import VENDURE
from pipelines.errors import FatalChannelError
from tests.channels.test_vendure import StillClock

PEOPLE = [Person(number, "7f001", True) for number in range(2)]
ANSWER = Callable[[str, dict[str, Any]], Any]


def opened(channel: Channel, answer: ANSWER, **options: str):
    """A session to a server that answers by path and body; what it was sent."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        sent.append((request.url.path, body))
        return httpx.Response(200, json=answer(request.url.path, body))

    secrets = dict.fromkeys(channel.secrets, "secret")
    connection = Connection("http://shop", secrets, options, StillClock(), httpx.MockTransport(serve))
    return channel.connect(connection), sent


def vendure(path: str, body: dict[str, Any]) -> Any:
    """A Vendure with customer 1 in it, that makes number 10, 11, … and refuses who has no address."""
    if "customers(" in body["query"]:
        return {"data": {"customers": {"items": [{"id": "1"}]}}}
    numbers = sorted({name.split("_")[0] for name in body["variables"]})
    return {"data": {name: {"__typename": "Customer", "id": str(10 + place)} for place, name in enumerate(numbers)}}


def call(path: str, body: dict[str, Any]) -> httpx.Request:
    return httpx.Request("POST", f"http://shop/{path}", json=body)


async def test_vendures_hands_make_a_person_with_an_address_and_the_permission_that_the_options_name():
    hands = hands_of("vendure")
    assert hands is not None
    session, sent = opened(VENDURE, vendure, consent_field="news", api_path="own/admin")
    assert await hands.make(session, PEOPLE) == ["10", "11"]
    made, homes = (body["variables"] for path, body in sent if path == "/own/admin")
    assert made["m1_input"]["emailAddress"] == PEOPLE[1].email and made["m1_input"]["customFields"] == {"news": True}
    assert homes["m1_customerId"] == "11" and homes["m1_input"]["countryCode"] == "FR"
    session, sent = opened(VENDURE, vendure)
    await hands.make(session, PEOPLE[:1])
    assert "customFields" not in sent[0][1]["variables"]["m0_input"]


async def test_vendures_hands_remove_who_is_there_and_say_who_was_not_made():
    hands = hands_of("vendure")
    assert hands is not None
    session, sent = opened(VENDURE, vendure)
    await hands.remove(session, ["1", "2"])
    assert [body["variables"] for _, body in sent][1:] == [{"m0_id": "1"}]
    refused = {"data": {"m0": {"__typename": "EmailAddressConflictError", "errorCode": "EMAIL_ADDRESS_CONFLICT_ERROR"}}}
    session, _ = opened(VENDURE, lambda path, body: refused)
    with pytest.raises(FatalChannelError, match="not made"):
        await hands.make(session, PEOPLE[:1])


def odoo(path: str, body: dict[str, Any]) -> Any:
    """An Odoo with partner 7, whose address is on the blacklist."""
    held = {
        "res.country/search_read": [{"id": 75}], "mailing.list/search_read": [{"id": 3, "name": "News"}],
        "res.partner/create": [7, 8], "res.partner/read": [{"id": 7, "name": "Camille Essai 0"}],
        "res.partner/search_read": [{"id": 7, "email": PEOPLE[0].email}], "mail.blacklist/search": [5],
        "mailing.contact/search": [], "res.partner/search": [7],
        "res.users/context_get": {"uid": 2}, "res.users/read": [{"company_id": 1, "tz": False}],
    }
    return held.get(path.removeprefix("/json/2/"), True)


async def test_odoos_hands_make_a_subscriber_rename_and_leave_nothing_of_it():
    hands = hands_of("odoo")
    assert hands is not None
    session, sent = opened(ODOO, odoo)
    assert await hands.make(session, PEOPLE) == ["7", "8"]
    contacts = next(body for path, body in sent if path.endswith("mailing.contact/create"))["vals_list"]
    assert contacts[1]["subscription_ids"] == [[0, 0, {"list_id": 3, "opt_out": False}]]
    sent.clear()
    await hands.edit(session, ["7"], "Dominique")
    assert sent[-1][1]["vals"] == {"name": "Dominique Essai 0"}
    sent.clear()
    await hands.remove(session, ["7", "8"])
    gone = [(path.split("/")[-2], body["ids"]) for path, body in sent if path.endswith("unlink")]
    assert gone == [("mail.blacklist", [5]), ("res.partner", [7])]


@pytest.mark.parametrize(("system", "path", "body", "writes"), [
    ("vendure", "admin-api", {"query": "mutation Login($u: String!) { login }"}, False),
    ("vendure", "own/path", {"query": "mutation UpdateCustomers { m0 }"}, True),
    ("vendure", "admin-api", {"query": "query Orders { orders }"}, False),
    ("odoo", "json/2/res.users/context_get", {}, False),
    ("odoo", "json/2/res.partner/search_read", {}, False),
    ("odoo", "json/2/res.partner/load", {}, True),
    ("odoo", "json/2/stock.quant/action_apply_inventory", {}, True),
])
def test_they_tell_a_write_from_a_read(system, path, body, writes):
    assert write_test(hands_of(system))(call(path, body)) is writes


@pytest.mark.parametrize(("system", "path", "body", "smaller"), [
    ("vendure", "admin-api", {"variables": {"options": {"take": 250, "skip": 0}}},
     {"variables": {"options": {"take": 3, "skip": 0}}}),
    ("vendure", "admin-api", {"variables": {"options": {"take": 200, "filter": {}}}}, None),
    ("vendure", "admin-api", {"variables": {}}, None),
    ("odoo", "json/2/res.partner/search_read", {"limit": 1000}, {"limit": 3}),
    ("odoo", "json/2/res.partner/search_read", {"domain": []}, None),
    ("odoo", "json/2/res.partner/load", {"limit": 1000}, None),
])
def test_they_ask_for_a_handful_where_a_page_is_asked_for(system, path, body, smaller):
    hands = hands_of(system)
    assert hands is not None
    asked = hands.few(call(path, body))
    assert json.loads(asked.content) == (smaller or body)
