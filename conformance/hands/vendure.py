"""Vendure's hands: customers by aliased mutations, with an address and, where the options name it, a permission."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PAGE, AT_ONCE = 3, 25
_MADE = "{ __typename ... on Customer { id } ... on ErrorResult { errorCode } }"


class VendureHands:
    """By the Admin API, with a key or user that may also create and delete customers."""

    endpoint, crowd, can_opt_in, pages_follow = "customers", 14, True, True

    def is_write(self, request: httpx.Request) -> bool:
        """A mutation, but for the login."""
        return b"mutation" in request.content and b"mutation Login" not in request.content

    def few(self, request: httpx.Request) -> httpx.Request:
        """By the variable `options.take`."""
        body = msgspec.json.decode(request.content) if request.content else {}
        options = (body.get("variables") or {}).get("options") or {}
        if options.get("take", 0) <= PAGE or "skip" not in options:
            return request
        options["take"] = PAGE
        return rebuilt(request, content=msgspec.json.encode(body))

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """createCustomer, then createCustomerAddress: the first takes none."""
        field = session.options.get("consent_field")
        people = [{"input": _customer(person, field)} for person in persons]
        made = await _mutate(session, "createCustomer", {"input": "CreateCustomerInput!"}, people, _MADE)
        if any("id" not in one for one in made):
            raise FatalChannelError("a customer was not made", system="vendure")
        ids = [str(one["id"]) for one in made]
        homes = [{"customerId": key, "input": _address(person)} for key, person in zip(ids, persons, strict=True)]
        arguments = {"customerId": "ID!", "input": "CreateAddressInput!"}
        await _mutate(session, "createCustomerAddress", arguments, homes, "{ id }")
        return ids

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """updateCustomer."""
        people = [{"input": {"id": key, "firstName": first_name}} for key in ids]
        await _mutate(session, "updateCustomer", {"input": "UpdateCustomerInput!"}, people, _MADE)

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """deleteCustomer, of those that are there: at one that is not the rest of a document would not run."""
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            query = "query Hands($options: CustomerListOptions) { customers(options: $options) { items { id } } }"
            wanted = {"options": {"take": len(some), "filter": {"id": {"in": list(some)}}}}
            there = (await _ask(session, query, wanted))["customers"]["items"]
            gone = [{"id": str(one["id"])} for one in there]
            await _mutate(session, "deleteCustomer", {"id": "ID!"}, gone, "{ result }")


async def _mutate(
    session: Session, mutation: str, arguments: dict[str, str], given: Sequence[dict[str, Any]], selection: str
) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for start in range(0, len(given), AT_ONCE):
        some = given[start : start + AT_ONCE]
        declared = ", ".join(f"$m{n}_{arg}: {kind}" for n in range(len(some)) for arg, kind in arguments.items())
        fields = " ".join(
            f"m{n}: {mutation}({', '.join(f'{arg}: $m{n}_{arg}' for arg in arguments)}) {selection}"
            for n in range(len(some))
        )
        variables = {f"m{n}_{arg}": one[arg] for n, one in enumerate(some) for arg in arguments}
        data = await _ask(session, f"mutation Hands({declared}) {{ {fields} }}", variables)
        answers += [data[f"m{n}"] for n in range(len(some))]
    return answers


async def _ask(session: Session, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    path = session.options.get("api_path", "admin-api").strip("/")
    answer = await session.post(path, {"query": query, "variables": variables}, is_repeatable=query.startswith("query"))
    found: dict[str, Any] = json.loads(answer.body)["data"]
    return found


def _customer(person: Person, consent_field: str | None) -> dict[str, Any]:
    given: dict[str, Any] = {
        "emailAddress": person.email, "firstName": person.first_name, "lastName": person.last_name,
        "phoneNumber": person.phone,
    }
    return given | ({"customFields": {consent_field: person.opted_in}} if consent_field else {})


def _address(person: Person) -> dict[str, Any]:
    return {
        "streetLine1": person.street, "city": person.city, "postalCode": person.postcode,
        "countryCode": person.country, "defaultShippingAddress": True,
    }


HANDS = VendureHands()
