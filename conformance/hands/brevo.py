"""Brevo's hands: contacts of the account's first list, made one by one, as its import answers for none of them."""

import asyncio
from collections.abc import Sequence

import httpx

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE, AT_ONCE = 30, 4
USUAL = {
    "first_name": ("FIRSTNAME", "PRENOM", "FNAME", "FIRST_NAME"),
    "last_name": ("LASTNAME", "NOM", "LNAME", "LAST_NAME"),
    "phone": ("PHONE", "TELEPHONE"), "street": ("ADDRESS", "ADRESSE", "STREET", "RUE"), "city": ("CITY", "VILLE"),
    "postcode": ("ZIP_CODE", "CODE_POSTAL", "POSTCODE", "ZIP"), "country": ("COUNTRY", "PAYS"),
}
"""What accounts call these; one that is not there is left out, since Brevo would pass over it without a word."""


class BrevoHands:
    """By the Contacts API v3."""

    endpoint, crowd, can_opt_in, pages_follow = "contacts", 50, True, True

    def few(self, request: httpx.Request) -> httpx.Request:
        """By the parameter `limit`, for contacts; more than the connector's pages overlap."""
        asked = request.url.params
        if request.method != "GET" or not request.url.path.endswith("/contacts") or int(asked.get("limit", 0)) <= PAGE:
            return request
        return rebuilt(request, url=request.url.copy_set_param("limit", PAGE))

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """A call each; in the first list, by which a permission is given."""
        names = await self._names(session)
        lists = (await session.get("v3/contacts/lists", params={"limit": 1, "sort": "asc"})).json().get("lists") or []
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(person: Person) -> str:
            body = {
                "email": person.email, "attributes": {name: getattr(person, ours) for ours, name in names.items()},
                "listIds": [lists[0]["id"]] if lists and person.opted_in else [], "updateEnabled": False,
            }
            async with gate:
                return str((await session.post("v3/contacts", body, is_repeatable=False)).json()["id"])

        return list(await asyncio.gather(*map(one, persons)))

    async def _names(self, session: Session) -> dict[str, str]:
        """The account's own attributes, by our field."""
        held = {one["name"] for one in (await session.get("v3/contacts/attributes")).json()["attributes"]}
        found = {ours: next((name for name in usual if name in held), "") for ours, usual in USUAL.items()}
        return {ours: name for ours, name in found.items() if name}

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """One by one."""
        name = (await self._names(session))["first_name"]
        for key in ids:
            await session.call("PUT", f"v3/contacts/{key}", body={"attributes": {name: first_name}})

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """One by one."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(key: str) -> None:
            async with gate:
                try:
                    await session.call("DELETE", f"v3/contacts/{key}")
                except FatalChannelError as error:
                    if error.status != 404:
                        raise

        await asyncio.gather(*map(one, ids))


HANDS = BrevoHands()
