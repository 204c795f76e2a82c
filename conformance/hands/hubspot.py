"""HubSpot's hands: contacts by batch, each subscribed to the account's first subscription type."""

import asyncio
from collections.abc import Sequence

import httpx
import msgspec

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE, BATCH = 3, 100
MOST_SUBSCRIBED = 20
"""A crowd is made without permissions: each is a call."""


class HubspotHands:
    """By CRM v3 and communication-preferences v3."""

    endpoint, crowd, can_opt_in, pages_follow = "contacts", 14, True, True

    def few(self, request: httpx.Request) -> httpx.Request:
        """Lists by their parameter, searches by their body."""
        if "limit" in request.url.params and int(request.url.params["limit"]) > PAGE:
            return rebuilt(request, url=request.url.copy_set_param("limit", PAGE))
        if request.url.path.endswith("/search"):
            body = msgspec.json.decode(request.content)
            if body.get("limit", 0) > PAGE:
                return rebuilt(request, content=msgspec.json.encode(body | {"limit": PAGE}))
        return request

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """batch/create, then a subscription each."""
        ids: dict[str, str] = {}
        for start in range(0, len(persons), BATCH):
            inputs = [{"properties": _properties(person)} for person in persons[start : start + BATCH]]
            answer = await session.post("crm/v3/objects/contacts/batch/create", {"inputs": inputs})
            ids |= {row["properties"]["email"]: row["id"] for row in answer.json()["results"]}
        if len(persons) <= MOST_SUBSCRIBED:
            await self._subscribe(session, [person.email for person in persons if person.opted_in])
        return [ids[person.email] for person in persons]

    async def _subscribe(self, session: Session, emails: Sequence[str]) -> None:
        found = (await session.get("communication-preferences/v3/definitions")).json()["subscriptionDefinitions"]
        if not found:
            return
        for email in emails:
            await session.post("communication-preferences/v3/subscribe", {
                "emailAddress": email, "subscriptionId": found[0]["id"], "legalBasis": "CONSENT_WITH_NOTICE",
                "legalBasisExplanation": "a record of a test, removed after it",
            })

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """batch/update."""
        inputs = [{"id": key, "properties": {"firstname": first_name}} for key in ids]
        await session.post("crm/v3/objects/contacts/batch/update", {"inputs": inputs})

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """One by one, into the recycling bin."""
        gate = asyncio.Semaphore(4)

        async def one(key: str) -> None:
            async with gate:
                try:
                    await session.call("DELETE", f"crm/v3/objects/contacts/{key}")
                except FatalChannelError as error:
                    if error.status != 404:
                        raise

        await asyncio.gather(*map(one, ids))


def _properties(person: Person) -> dict[str, str]:
    return {
        "email": person.email, "firstname": person.first_name, "lastname": person.last_name, "phone": person.phone,
        "address": person.street, "city": person.city, "zip": person.postcode, "country": person.country,
    }


HANDS = HubspotHands()
