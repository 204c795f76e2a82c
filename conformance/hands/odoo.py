"""Odoo's hands: contacts of the shop with their subscription to its first mailing list, and deleted with all of it."""

from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.channels.odoo.session import OdooSession, odoo
from pipelines.http import Session

PAGE = 3
READS = ("search_read", "search_count", "search", "read", "context_get", "fields_get", "has_access")
_ALL = {"active_test": False}


class OdooHands:
    """By JSON-2, with a key that may also create and delete contacts, subscriptions and entries of the blacklist."""

    endpoint, crowd, can_opt_in, pages_follow = "partners", 14, True, True

    def is_write(self, request: httpx.Request) -> bool:
        """By the method's name, which is the path's end."""
        return request.url.path.rsplit("/", 1)[-1] not in READS

    def few(self, request: httpx.Request) -> httpx.Request:
        """By `limit`."""
        body = msgspec.json.decode(request.content) if request.content else {}
        if not request.url.path.endswith("/search_read") or (body.get("limit") or 0) <= PAGE:
            return request
        return rebuilt(request, content=msgspec.json.encode(body | {"limit": PAGE}))

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """res.partner, and a mailing.contact where there is a list to be on."""
        own = odoo(session)
        countries = await own.execute(
            "res.country", "search_read", domain=[["code", "=", persons[0].country]], fields=["code"]
        )
        people = [_partner(person, countries[0]["id"]) for person in persons]
        made = await own.execute("res.partner", "create", vals_list=people, is_repeatable=False)
        lists = await own.execute("mailing.list", "search_read", domain=[], fields=["name"], order="id", limit=1)
        if lists:
            contacts = [_contact(person, lists[0]["id"]) for person in persons]
            await own.execute("mailing.contact", "create", vals_list=contacts, is_repeatable=False)
        return [str(key) for key in made]

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """Odoo keeps one name; the last word of it stays."""
        own = odoo(session)
        for one in await own.execute("res.partner", "read", ids=[int(key) for key in ids], fields=["name"]):
            _, _, last = one["name"].partition(" ")
            await own.execute("res.partner", "write", ids=[one["id"]], vals={"name": f"{first_name} {last}"})

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """The partners that are there, and what holds their addresses."""
        own = odoo(session)
        domain = [["id", "in", [int(key) for key in ids]]]
        there = await own.execute("res.partner", "search_read", domain=domain, fields=["email"], context=_ALL)
        emails = [one["email"] for one in there if one["email"]]
        for model in ("mailing.contact", "mail.blacklist"):
            await _unlink(own, model, [["email", "in", emails]])
        await _unlink(own, "res.partner", [["id", "in", [one["id"] for one in there]]])


async def _unlink(own: OdooSession, model: str, domain: list[Any]) -> None:
    found = await own.execute(model, "search", domain=domain, context=_ALL)
    if found:
        await own.execute(model, "unlink", ids=found)


def _partner(person: Person, country: int) -> dict[str, Any]:
    return {
        "name": f"{person.first_name} {person.last_name}", "email": person.email, "phone": person.phone,
        "street": person.street, "city": person.city, "zip": person.postcode, "country_id": country,
    }


def _contact(person: Person, list_id: int) -> dict[str, Any]:
    subscription = {"list_id": list_id, "opt_out": not person.opted_in}
    return {
        "name": f"{person.first_name} {person.last_name}", "email": person.email,
        "subscription_ids": [[0, 0, subscription]],
    }


HANDS = OdooHands()
