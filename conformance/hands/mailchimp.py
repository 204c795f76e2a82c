"""Mailchimp's hands: members of the account's first audience, subscribed, and deleted for good afterwards."""

import asyncio
from collections.abc import Sequence
from hashlib import md5

import httpx

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE, BATCH = 3, 500


class MailchimpHands:
    """By the Marketing API 3.0, whose pages go by offset: a crowd is more than one real page."""

    endpoint, crowd, can_opt_in, pages_follow = "members", 1_060, True, False

    def few(self, request: httpx.Request) -> httpx.Request:
        """By the parameter `count`, for members."""
        if request.url.path.endswith("/members") and int(request.url.params.get("count", 0)) > PAGE:
            return rebuilt(request, url=request.url.copy_set_param("count", PAGE))
        return request

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """The audience's own batch."""
        audience = (await session.get("3.0/lists", params={"count": 1})).json()["lists"][0]["id"]
        for start in range(0, len(persons), BATCH):
            members = [_member(person) for person in persons[start : start + BATCH]]
            body = {"members": members, "update_existing": False}
            answer = (await session.post(f"3.0/lists/{audience}", body)).json()
            if answer["error_count"]:
                raise FatalChannelError(f"{answer['error_count']} members were not made", system="mailchimp")
        return [f"{audience}:{_hash(person.email)}" for person in persons]

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """One by one."""
        for key in ids:
            await session.call("PATCH", _path(key), body={"merge_fields": {"FNAME": first_name}})

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """Permanently: an archived member would stay in the account's archive."""

        async def one(key: str) -> None:
            try:
                await session.call("POST", f"{_path(key)}/actions/delete-permanent")
            except FatalChannelError as error:
                if error.status != 404:
                    raise

        for start in range(0, len(ids), BATCH):
            await asyncio.gather(*map(one, ids[start : start + BATCH]))


def _path(key: str) -> str:
    audience, _, member = key.partition(":")
    return f"3.0/lists/{audience}/members/{member}"


def _hash(email: str) -> str:
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _member(person: Person) -> dict[str, object]:
    address = {"addr1": person.street, "city": person.city, "zip": person.postcode, "country": person.country}
    return {
        "email_address": person.email, "status": "subscribed" if person.opted_in else "unsubscribed",
        "merge_fields": {
            "FNAME": person.first_name, "LNAME": person.last_name, "PHONE": person.phone, "ADDRESS": address,
        },
    }


HANDS = MailchimpHands()
