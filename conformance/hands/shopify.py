"""Shopify's hands: customers by customerCreate and customerDelete, several aliased mutations a call."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PATH = "admin/api/2026-07/graphql.json"
PAGE, AT_ONCE, COST = 3, 20, 10


class ShopifyHands:
    """By the Admin API. Censuses come by bulk operation, in one piece; deltas come in pages of `first`."""

    endpoint, crowd, can_opt_in, pages_follow = "customers", 14, True, True

    def few(self, request: httpx.Request) -> httpx.Request:
        """By the variable `first`."""
        if not request.url.path.endswith("graphql.json"):
            return request
        body = msgspec.json.decode(request.content)
        if (body.get("variables") or {}).get("first", 0) > PAGE:
            body["variables"]["first"] = PAGE
            return rebuilt(request, content=msgspec.json.encode(body))
        return request

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """customerCreate, with address and permission."""
        inputs = [_input(person) for person in persons]
        answers = await _mutate(session, "customerCreate", "CustomerInput!", inputs, "customer { id }")
        return [str(answer["customer"]["id"]) for answer in answers]

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """customerUpdate."""
        inputs = [{"id": key, "firstName": first_name} for key in ids]
        await _mutate(session, "customerUpdate", "CustomerInput!", inputs, "customer { id }")

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """customerDelete; who is gone already is told as a user error."""
        inputs = [{"id": key} for key in ids]
        await _mutate(
            session, "customerDelete", "CustomerDeleteInput!", inputs, "deletedCustomerId", may_be_gone=True
        )


async def _mutate(
    session: Session, mutation: str, kind: str, inputs: Sequence[Mapping[str, Any]], selection: str,
    *, may_be_gone: bool = False,
) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for start in range(0, len(inputs), AT_ONCE):
        some = inputs[start : start + AT_ONCE]
        declared = ", ".join(f"$i{n}: {kind}" for n in range(len(some)))
        fields = " ".join(
            f"m{n}: {mutation}(input: $i{n}) {{ {selection} userErrors {{ field message }} }}" for n in range(len(some))
        )
        body = {"query": f"mutation Hands({declared}) {{ {fields} }}",
                "variables": {f"i{n}": one for n, one in enumerate(some)}}
        data = json.loads((await session.post(PATH, body, cost=COST * len(some))).body)["data"]
        answers += [data[f"m{n}"] for n in range(len(some))]
    if not may_be_gone and any(answer["userErrors"] for answer in answers):
        raise FatalChannelError(f"{mutation} was refused", system="shopify")
    return answers


def _input(person: Person) -> dict[str, Any]:
    state = "SUBSCRIBED" if person.opted_in else "UNSUBSCRIBED"
    return {
        "firstName": person.first_name, "lastName": person.last_name, "email": person.email, "phone": person.phone,
        "addresses": [{"address1": person.street, "city": person.city, "zip": person.postcode,
                       "countryCode": person.country}],
        "emailMarketingConsent": {"marketingState": state, "marketingOptInLevel": "SINGLE_OPT_IN"},
    }


HANDS = ShopifyHands()
