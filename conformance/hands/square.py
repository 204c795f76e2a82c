"""Square's hands: customer profiles in bulk. E-mail permission cannot be written by any API of Square's."""

from collections.abc import Sequence

import httpx
import msgspec

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE, BULK = 3, 100


class SquareHands:
    """By the Customers API's bulk calls."""

    endpoint, crowd, can_opt_in, pages_follow = "customers", 14, False, True

    def few(self, request: httpx.Request) -> httpx.Request:
        """By `limit`, in the parameters of a list or the body of a search."""
        if request.method == "GET":
            if int(request.url.params.get("limit", 0)) > PAGE:
                return rebuilt(request, url=request.url.copy_set_param("limit", PAGE))
            return request
        body = msgspec.json.decode(request.content) if request.content else {}
        if isinstance(body.get("limit"), int) and body["limit"] > PAGE:
            return rebuilt(request, content=msgspec.json.encode(body | {"limit": PAGE}))
        return request

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """bulk-create, keyed by address."""
        ids: list[str] = []
        for some in _some(persons):
            body = {"customers": {person.email: _profile(person) for person in some}}
            responses = (await session.post("/v2/customers/bulk-create", body)).json()["responses"]
            for person in some:
                made = responses[person.email].get("customer")
                if made is None:
                    code = responses[person.email]["errors"][0]["code"]
                    raise FatalChannelError(f"a profile was not made: {code}", system="square", code=code)
                ids.append(made["id"])
        return ids

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """bulk-update without a version: as a person at the till, who asks for none."""
        body = {"customers": {key: {"given_name": first_name} for key in ids}}
        await session.post("/v2/customers/bulk-update", body)

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """bulk-delete; who is gone already is told among the answers."""
        for start in range(0, len(ids), BULK):
            await session.post("/v2/customers/bulk-delete", {"customer_ids": list(ids[start : start + BULK])})


def _some(persons: Sequence[Person]) -> list[Sequence[Person]]:
    return [persons[start : start + BULK] for start in range(0, len(persons), BULK)]


def _profile(person: Person) -> dict[str, object]:
    return {
        "given_name": person.first_name, "family_name": person.last_name, "email_address": person.email,
        "phone_number": person.phone, "address": {
            "address_line_1": person.street, "locality": person.city, "postal_code": person.postcode,
            "country": person.country,
        },
    }


HANDS = SquareHands()
