"""Vendure's Admin API as an operator calls it: log in, ask, make an API key.

Not the connector, and shares nothing with it: tests and the real estate check by this client what the connector wrote.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import httpx

TIMEOUT_SECONDS = 300.0


class VendureApi:
    """One administrator's session. Raises RuntimeError with the server's words for anything but a plain success."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """`url`: the server's own, without the API's path."""
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)
        query = "mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }"
        answer = self._client.post("/admin-api", json={"query": query, "variables": {"u": user, "p": password}})
        if answer.json()["data"]["login"]["__typename"] != "CurrentUser":
            raise RuntimeError("Vendure refused the login")
        self._client.headers["authorization"] = f"Bearer {answer.headers['vendure-auth-token']}"

    def __enter__(self) -> "VendureApi":
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The `data` of an answer."""
        answer = self._client.post("/admin-api", json={"query": query, "variables": variables})
        body: dict[str, Any] = answer.json()
        if body.get("errors"):
            raise RuntimeError(f"Vendure: {body['errors'][0]['message']}")
        return dict(body["data"])

    def all(self, connection: str, selection: str, page: int = 500) -> list[dict[str, Any]]:
        """Every record of a list."""
        query = (
            f"query($skip: Int!, $take: Int!) {{ {connection}(options: {{skip: $skip, take: $take, sort: {{id: ASC}}}})"
            f" {{ totalItems items {{ {selection} }} }} }}"
        )
        found: list[dict[str, Any]] = []
        while True:
            got = self.ask(query, skip=len(found), take=page)[connection]
            found += got["items"]
            if len(found) >= got["totalItems"] or not got["items"]:
                return found

    def api_key(self, name: str, rights: Sequence[str] = ()) -> str:
        """A new API key with the administrator's own role, or with a role of its own that has these rights alone."""
        roles = [role["id"] for role in self.all("roles", "id code") if role["code"] == "__super_admin_role__"]
        if rights:
            made = {"code": name, "description": name, "permissions": list(rights)}
            query = "mutation($input: CreateRoleInput!) { createRole(input: $input) { id } }"
            roles = [self.ask(query, input=made)["createRole"]["id"]]
        query = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey } }"
        given = {"roleIds": roles, "translations": [{"languageCode": "en", "name": name}]}
        return str(self.ask(query, input=given)["createApiKey"]["apiKey"])


def aliased(mutation: str, kind: str, selection: str, inputs: Iterable[Any]) -> tuple[str, dict[str, Any]]:
    """One document that calls a mutation once for each input, and its variables."""
    given = {f"i{place}": one for place, one in enumerate(inputs)}
    declared = ", ".join(f"${name}: {kind}" for name in given)
    calls = " ".join(f"{name}: {mutation}(input: ${name}) {{ {selection} }}" for name in given)
    return f"mutation({declared}) {{ {calls} }}", given
